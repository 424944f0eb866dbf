//! Whose records these are: the thread's own, or another's that were copied into its file.

use crate::{Origin, Session};

/// The header and what follows from it.
#[derive(Debug, Default)]
pub(super) struct Thread {
    header: Option<Session>,
}

impl Thread {
    pub(super) fn resume(header: Option<Session>) -> Self {
        Self { header }
    }

    pub(super) fn header(&self) -> Option<&Session> {
        self.header.as_ref()
    }

    pub(super) fn id(&self) -> &str {
        self.header
            .as_ref()
            .map_or("", |session| session.thread_id.as_str())
    }

    /// Takes a header: the first one wins. Whether another thread's records may follow: behind a
    /// foreign header, and in the file of a fork or an agent up to its first own turn.
    pub(super) fn header_seen(&mut self, session: Session) -> bool {
        if let Some(own) = &self.header {
            return own.thread_id != session.thread_id;
        }
        let copies =
            session.forked_from_id.is_some() || matches!(session.origin, Origin::Spawned { .. });
        self.header = Some(session);
        copies
    }

    /// Whether a turn is older than this thread, so that its records were copied. Both ids are
    /// UUIDs of version 7, which begin with their time of creation in milliseconds.
    pub(super) fn is_older(&self, turn_id: &str) -> bool {
        match (created_at(turn_id), created_at(self.id())) {
            (Some(turn), Some(thread)) => turn < thread,
            _ => false,
        }
    }

    /// Whether an event names another thread than this one.
    pub(super) fn is_foreign(&self, thread_id: Option<&str>) -> bool {
        let own = self.id();
        thread_id.is_some_and(|id| !own.is_empty() && id != own)
    }
}

/// Milliseconds since 1970 out of a UUID of version 7.
fn created_at(id: &str) -> Option<u64> {
    let bytes = id.as_bytes();
    let version_7 = bytes.len() == 36 && bytes.get(14) == Some(&b'7');
    if !version_7 {
        return None;
    }
    let high = id.get(..8)?;
    let low = id.get(9..13)?;
    u64::from_str_radix(&format!("{high}{low}"), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_of_version_7_tell_their_time() {
        let id = "01a1f887-ef56-7a60-9bbb-c136c582e033";
        assert_eq!(created_at(id), Some(0x01a1_f887_ef56));
        assert_eq!(created_at("01a1f887-ef56-4a60-9bbb-c136c582e033"), None);
        assert_eq!(created_at("turn-1"), None);
        assert_eq!(created_at("Ω1a1f887-ef56-7a60-9bbb-c136c582e03"), None);
    }
}
