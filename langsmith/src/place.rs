//! Where a run hangs: its ancestors and itself, which is what `dotted_order` spells out.

use codex_tracing_transcript::AgentCall;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::ids::Identity;

/// One run on the way from the trace's root: when it began and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Start, in whole microseconds.
    pub(crate) at: Timestamp,
    /// Run id.
    pub(crate) id: Uuid,
}

/// The path from a trace's root to a run, both included; never empty.
///
/// LangSmith refuses a whole request in which a run starts before its parent or its last segment
/// differs from its start, so both are made impossible here: [`Place::below`] moves a start that
/// is too early, and the run's `start_time` is read from the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    above: Vec<Segment>,
    own: Segment,
}

impl Place {
    /// From segments, root first; `None` if there are none.
    pub(crate) fn from_segments(mut segments: Vec<Segment>) -> Option<Self> {
        let own = segments.pop()?;
        Some(Self {
            above: segments,
            own,
        })
    }

    /// The run called `identity` that starts at `at`: below `parent`, else as a root.
    pub(crate) fn below(parent: Option<&Self>, at: Timestamp, identity: &Identity<'_>) -> Self {
        let at = parent.map_or(at, |parent| at.max(parent.own.at));
        let at = whole_micros(at);
        Self {
            above: parent.map(Self::segments).unwrap_or_default(),
            own: Segment {
                at,
                id: identity.id(at),
            },
        }
    }

    /// Start of the run.
    pub(crate) fn at(&self) -> Timestamp {
        self.own.at
    }

    /// Id of the run.
    pub(crate) fn id(&self) -> Uuid {
        self.own.id
    }

    /// Id of the trace's root.
    pub(crate) fn trace_id(&self) -> Uuid {
        self.above.first().map_or(self.own.id, |root| root.id)
    }

    /// Id of the parent; `None` for a root.
    pub(crate) fn parent_id(&self) -> Option<Uuid> {
        self.above.last().map(|parent| parent.id)
    }

    /// The same path with every id changed by `change`.
    pub(crate) fn with_ids(&self, change: impl Fn(Uuid) -> Uuid) -> Self {
        let segment = |segment: &Segment| Segment {
            at: segment.at,
            id: change(segment.id),
        };
        Self {
            above: self.above.iter().map(segment).collect(),
            own: segment(&self.own),
        }
    }

    /// `<time><id>` of each run, root first, joined by dots.
    pub(crate) fn dotted_order(&self) -> String {
        let mut text = String::with_capacity(60 * (self.above.len() + 1));
        for segment in self.above.iter().chain([&self.own]) {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&segment.at.strftime("%Y%m%dT%H%M%S%6fZ").to_string());
            text.push_str(&segment.id.to_string());
        }
        text
    }

    fn segments(&self) -> Vec<Segment> {
        self.above.iter().copied().chain([self.own]).collect()
    }
}

/// The start of a sibling that is to be set apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// No earlier than this.
    From(Timestamp),
    /// Exactly this: further runs, mapped on their own, are placed by it.
    Fixed(Timestamp),
}

/// Starts for siblings given in their order: each its own, or just after the one before it.
///
/// LangSmith sorts siblings by their `dotted_order`. Rollouts have milliseconds, so equal starts
/// are common; a microsecond sets them apart in the right order, however many there are.
pub(crate) fn apart(starts: impl IntoIterator<Item = Start>) -> Vec<Timestamp> {
    let mut last: Option<Timestamp> = None;
    let next = |start: Start| {
        let at = match (start, last) {
            (Start::From(at), Some(last)) => whole_micros(at).max(later(last, 1)),
            (Start::From(at), None) | (Start::Fixed(at), _) => whole_micros(at),
        };
        last = Some(last.map_or(at, |last| last.max(at)));
        at
    };
    starts.into_iter().map(next).collect()
}

/// The start of the run of a call that controls agents, in a turn whose run starts at `from`.
///
/// The runs of subagents are placed below it, and are mapped without the other calls of its turn,
/// perhaps before these are made. So it does not depend on them: it lies in the middle of its
/// millisecond, which leaves room for those that come before it.
pub(crate) fn agent_call_start(call: AgentCall, from: Timestamp) -> Timestamp {
    let at = whole_micros(call.started_at).max(from);
    later(at, 500 + i64::from(call.rank))
}

fn later(at: Timestamp, micros: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_micros(micros))
        .unwrap_or(at)
}

/// RFC 3339 in UTC with six digits after the second, as the API takes it.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// `at` without what is finer than a microsecond.
fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Kind;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn identity(key: &str) -> Identity<'_> {
        Identity {
            thread: "t",
            turn: "u",
            kind: Kind::Tool,
            key,
        }
    }

    #[test]
    fn a_path_is_spelled_as_the_api_wants_it() {
        let root = at("2026-01-02T03:04:05.678001Z");
        let child = at("2026-01-02T03:04:05.778002Z");
        let id = |text: &str| text.parse().unwrap();
        let place = Place::from_segments(vec![
            Segment {
                at: root,
                id: id("019b7ca9-8f2e-7000-8000-000000000001"),
            },
            Segment {
                at: child,
                id: id("019b7ca9-8f92-7000-8000-000000000002"),
            },
        ])
        .unwrap();
        assert_eq!(
            place.dotted_order(),
            "20260102T030405678001Z019b7ca9-8f2e-7000-8000-000000000001.\
             20260102T030405778002Z019b7ca9-8f92-7000-8000-000000000002"
        );
        assert_eq!(rfc3339(root), "2026-01-02T03:04:05.678001Z");
        assert_eq!(place.trace_id(), id("019b7ca9-8f2e-7000-8000-000000000001"));
        assert_eq!(place.parent_id(), Some(place.trace_id()));
    }

    #[test]
    fn a_child_never_starts_before_its_parent() {
        let root = Place::below(None, at("2026-01-02T03:04:05Z"), &identity("root"));
        let child = Place::below(Some(&root), at("2026-01-02T03:04:04Z"), &identity("child"));
        assert_eq!(child.at(), root.at());
        assert_eq!(child.id(), identity("child").id(root.at()));
    }

    #[test]
    fn a_thousand_and_more_siblings_of_one_instant_keep_their_order() {
        let start = Start::From(at("2026-01-02T03:04:05.678Z"));
        let starts = apart(std::iter::repeat_n(start, 2500));
        let orders: Vec<_> = starts
            .iter()
            .map(|start| Place::below(None, *start, &identity("x")).dotted_order())
            .collect();
        assert!(orders.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn calls_that_control_agents_start_where_nothing_else_moves_them() {
        let start = at("2026-01-02T03:04:05.678Z");
        let call = |rank| {
            let call = AgentCall {
                started_at: start,
                rank,
            };
            agent_call_start(call, Timestamp::UNIX_EPOCH)
        };
        let fixed = |rank| Start::Fixed(call(rank));
        let free = Start::From(start);
        let starts = apart([free, free, fixed(0), fixed(1), free]);
        assert_eq!(starts[2..4], [call(0), call(1)]);
        assert!(starts.is_sorted_by(|a, b| a < b), "{starts:?}");
        // Even where too many come before.
        let crowd = std::iter::repeat_n(free, 700).chain([fixed(0), free]);
        let starts = apart(crowd);
        assert_eq!(starts[700], call(0));
        assert!(starts[701] > starts[699]);
    }
}
