//! The hook events this program acts on.

use std::path::PathBuf;

use super::wire::WireInput;

/// What happened, as far as tracing cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventKind {
    SessionStart,
    UserPromptSubmit,
    Stop,
    SubagentStart,
    SubagentStop,
    PreCompact,
    PostCompact,
    Interrupt,
    SessionEnd,
}

impl EventKind {
    /// The event's name as Codex writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SessionStart => "SessionStart",
            Self::UserPromptSubmit => "UserPromptSubmit",
            Self::Stop => "Stop",
            Self::SubagentStart => "SubagentStart",
            Self::SubagentStop => "SubagentStop",
            Self::PreCompact => "PreCompact",
            Self::PostCompact => "PostCompact",
            Self::Interrupt => "Interrupt",
            Self::SessionEnd => "SessionEnd",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [
            Self::SessionStart,
            Self::UserPromptSubmit,
            Self::Stop,
            Self::SubagentStart,
            Self::SubagentStop,
            Self::PreCompact,
            Self::PostCompact,
            Self::Interrupt,
            Self::SessionEnd,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// A hook event worth a journal line.
#[derive(Debug)]
pub(crate) struct HookEvent {
    pub(crate) kind: EventKind,
    pub(crate) session_id: String,
    pub(crate) cwd: PathBuf,
    pub(crate) input: WireInput,
}

impl HookEvent {
    /// Well-formed input that we have no use for (an event we do not know, a session without an
    /// id) is `None`, not an error.
    pub(crate) fn from_wire(input: WireInput) -> Option<Self> {
        let kind = EventKind::parse(input.hook_event_name.as_deref()?)?;
        let session_id = input.session_id.clone().filter(|id| !id.is_empty())?;
        let cwd = input.cwd.as_deref().map(PathBuf::from).unwrap_or_default();
        Some(Self {
            kind,
            session_id,
            cwd,
            input,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Option<EventKind>) {
        let input: WireInput = serde_json::from_str(json).unwrap();
        assert_eq!(
            HookEvent::from_wire(input).map(|event| event.kind),
            expected,
            "{json}"
        );
    }

    #[test]
    fn only_events_with_a_session_and_a_known_name_count() {
        check(
            r#"{"hook_event_name":"Stop","session_id":"s"}"#,
            Some(EventKind::Stop),
        );
        check(
            r#"{"hook_event_name":"Interrupt","session_id":"s"}"#,
            Some(EventKind::Interrupt),
        );
        check(r#"{"hook_event_name":"PreToolUse","session_id":"s"}"#, None);
        check(r#"{"hook_event_name":"Stop","session_id":""}"#, None);
        check(r#"{"hook_event_name":"Stop"}"#, None);
        check(r#"{"session_id":"s"}"#, None);
        check("{}", None);
    }
}
