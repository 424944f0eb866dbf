//! What doctor has to say: one line of cause, one of cure.

use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Traces arrive, but something wants a look.
    Warning,
    /// No trace will arrive, or not all, until this is mended.
    Problem,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Stable name for scripts, such as `codex-missing`.
    pub(crate) id: &'static str,
    /// How bad it is.
    pub(crate) level: Level,
    /// The backend it concerns, if only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<&'static str>,
    /// What is the case.
    pub(crate) cause: String,
    /// What to do; empty where nothing is to be done.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) cure: String,
}

impl Finding {
    /// All is well with this.
    pub(crate) fn ok(id: &'static str, cause: impl Into<String>) -> Self {
        Self {
            id,
            level: Level::Ok,
            backend: None,
            cause: cause.into(),
            cure: String::new(),
        }
    }

    /// Worth a look.
    pub(crate) fn warning(
        id: &'static str,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Warning,
            cure: cure.into(),
            ..Self::ok(id, cause)
        }
    }

    /// Stops traces.
    pub(crate) fn problem(
        id: &'static str,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Problem,
            cure: cure.into(),
            ..Self::ok(id, cause)
        }
    }

    /// The same, about one backend.
    pub(crate) fn about(self, backend: &'static str) -> Self {
        Self {
            backend: Some(backend),
            ..self
        }
    }
}
