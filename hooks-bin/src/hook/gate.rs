//! Is tracing on for this session, and how?

use codex_tracing_config::Common;
use codex_tracing_delivery::SessionDir;

/// What the hook needs of the settings.
pub(crate) struct Gate {
    /// Whether the turn's end waits for delivery.
    pub(crate) flushes: bool,
    /// Whether threads start muted.
    pub(crate) default_muted: bool,
    record: Option<Recorder>,
    /// Settings to keep for the session's later runs, encoded.
    keep: Option<Vec<u8>>,
}

/// Settings that are resolved and wait for the session: `None` if it is not traced.
pub(crate) type Gatekeeper = Box<dyn FnOnce(&SessionDir) -> Option<Gate>>;

/// Keeps an event as Codex sent it, for a backend that has a place for such.
pub(crate) type Recorder = Box<dyn Fn(&[u8])>;

impl Gate {
    /// As the settings that all backends have say; `None` if tracing is off.
    pub(crate) fn of(common: &Common) -> Option<Self> {
        common.enabled.then_some(Self {
            flushes: common.flush_on_turn_end,
            default_muted: common.default_muted,
            record: None,
            keep: None,
        })
    }

    /// The same, with settings to keep for the session's later runs.
    pub(crate) fn keeping(self, keep: Option<Vec<u8>>) -> Self {
        Self { keep, ..self }
    }

    /// The same, with each event kept.
    pub(crate) fn recording(self, recorder: Recorder) -> Self {
        Self {
            record: Some(recorder),
            ..self
        }
    }

    /// Keeps the settings of a session's first run. Failing costs only that.
    pub(crate) fn keep_settings(&self, session: &SessionDir) {
        if let Some(bytes) = &self.keep {
            let _ = session.keep_settings(bytes);
        }
    }

    /// Keeps the event, where that is asked for.
    pub(crate) fn record(&self, event: &[u8]) {
        if let Some(record) = &self.record {
            record(event);
        }
    }
}
