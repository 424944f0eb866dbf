//! Run ids: deterministic UUIDs of version 7.

use jiff::Timestamp;
use sha2::digest::Output;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

/// What sort of run an id stands for; part of the hash, so never rename a word here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A turn; its key is empty.
    Turn,
    /// A model call; its key is its index in the turn.
    ModelCall,
    /// A tool call; its key is its call id.
    Tool,
    /// A compaction; its key is its index in the turn.
    Compaction,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::ModelCall => "model_call",
            Self::Tool => "tool",
            Self::Compaction => "compaction",
        }
    }
}

/// What a run is, apart from when it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity<'a> {
    /// Thread of the run's turn.
    pub(crate) thread: &'a str,
    /// The turn.
    pub(crate) turn: &'a str,
    /// What sort of run.
    pub(crate) kind: Kind,
    /// Tells runs of one kind in one turn apart.
    pub(crate) key: &'a str,
}

impl Identity<'_> {
    /// The id of this run when it starts at `at`.
    ///
    /// The first 48 bits are the start in milliseconds, because LangSmith finds a run opened by
    /// id through them; the rest is a hash of the identity. The destination plays no part.
    pub(crate) fn id(&self, at: Timestamp) -> Uuid {
        let parts = [self.thread, self.turn, self.kind.word(), self.key];
        let hash = digest(std::iter::once("codex-tracing langsmith run 1").chain(parts));
        let millis = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(hash) {
            *to = from;
        }
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// SHA-256 over texts, each with its length, which keeps `ab` + `c` apart from `a` + `bc`.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> Output<Sha256> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()
}

/// The first `digits` digits of [`digest`] in hexadecimal.
pub(crate) fn hex_digest<'a>(parts: impl IntoIterator<Item = &'a str>, digits: usize) -> String {
    format!("{:x}", digest(parts))
        .chars()
        .take(digits)
        .collect()
}

/// The id that `original` has in a replica's `project`: the rule of LangSmith's own SDKs, so that
/// traces split between them and this program still join.
///
/// XXH3-128 over `"<original>:<project>"`; a version 7 id keeps its timestamp, any other gets
/// hash bytes there; version and variant bits are set over the rest.
///
/// ```
/// let id = "019b7ca9-8f2e-7000-8000-000000000001".parse().unwrap();
/// let replica = codex_tracing_langsmith::replica_id(id, "staging");
/// assert_eq!(replica.to_string(), "019b7ca9-8f2e-77ca-b098-5ef0f095f5e8");
/// ```
pub fn replica_id(original: Uuid, project: &str) -> Uuid {
    let hash = xxh3_128(format!("{original}:{project}").as_bytes()).to_be_bytes();
    let [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, time @ ..] = hash;
    let [t0, t1, t2, t3, t4, t5] = if original.get_version_num() == 7 {
        let [t0, t1, t2, t3, t4, t5, ..] = *original.as_bytes();
        [t0, t1, t2, t3, t4, t5]
    } else {
        time
    };
    let (version, variant) = (0x70 | (h0 & 0x0f), 0x80 | (h2 & 0x3f));
    Uuid::from_bytes([
        t0, t1, t2, t3, t4, t5, version, h1, variant, h3, h4, h5, h6, h7, h8, h9,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "019b7ca9-8f2e-7000-8000-000000000001";
    const SECOND: &str = "019b7ca9-8f92-7000-8000-000000000002";

    /// Original id, project, id in the replica: computed with npm `langsmith` 0.10.5.
    const OF_THE_SDK: [(&str, &str, &str); 10] = [
        (FIRST, "staging", "019b7ca9-8f2e-77ca-b098-5ef0f095f5e8"),
        (FIRST, "prod", "019b7ca9-8f2e-7f76-aefc-044f3a4eb551"),
        (FIRST, "projet-é", "019b7ca9-8f2e-7762-89b6-b4c0917e71d6"),
        (SECOND, "staging", "019b7ca9-8f92-7b84-bbed-d8149f2c85dd"),
        (SECOND, "codex", "019b7ca9-8f92-724b-90d2-7050192e1975"),
        (
            "01a1f885-5d74-7011-8026-ab203d51e97c",
            "my team / project with spaces",
            "01a1f885-5d74-7b76-a4f6-2df05aba98ec",
        ),
        (
            "01a1f885-5d74-7fff-bfff-ffffffffffff",
            "",
            "01a1f885-5d74-725b-bd94-70c415b7609b",
        ),
        (
            "ffffffff-ffff-7abc-9def-0123456789ab",
            "日本語プロジェクト",
            "ffffffff-ffff-72bb-990e-8758ea5e3b00",
        ),
        // Not of version 7: the timestamp is hashed too.
        (
            "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
            "staging",
            "71ef6dc6-d657-7253-94ce-3844c01f0d5e",
        ),
        // Longer than 240 bytes: another branch of the hash.
        (
            SECOND,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "019b7ca9-8f92-7d85-af84-a7ceaac8cae0",
        ),
    ];

    #[test]
    fn replica_ids_are_those_of_the_official_sdk() {
        for (original, project, expected) in OF_THE_SDK {
            let id = replica_id(original.parse().unwrap(), project);
            assert_eq!(id.to_string(), expected, "{original} in {project}");
        }
    }

    fn identity(key: &str) -> Identity<'_> {
        Identity {
            thread: "thread",
            turn: "turn",
            kind: Kind::Tool,
            key,
        }
    }

    #[test]
    fn an_id_is_version_7_and_carries_its_start() {
        let at: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        let id = identity("call_1").id(at);
        assert_eq!(id.get_version_num(), 7);
        assert!(id.to_string().starts_with("019b7ca9-8f2e-7"), "{id}");
    }

    #[test]
    fn every_part_of_an_identity_changes_the_id() {
        let at = Timestamp::UNIX_EPOCH;
        let base = identity("a");
        let others = [
            Identity { key: "b", ..base },
            Identity {
                thread: "x",
                ..base
            },
            Identity { turn: "x", ..base },
            Identity {
                kind: Kind::ModelCall,
                ..base
            },
            Identity {
                thread: "threadt",
                turn: "urn",
                ..base
            },
        ];
        assert_eq!(base.id(at), identity("a").id(at));
        for other in others {
            assert_ne!(base.id(at), other.id(at), "{other:?}");
        }
    }
}
