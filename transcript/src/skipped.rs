//! What was left out, counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Lines and records that were left out, counted by reason; never an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Reason (such as `not_json`, `too_long`, `unknown_event:foo`) → count.
    pub counts: BTreeMap<String, u64>,
}

impl Skipped {
    /// Counts one more.
    pub fn count(&mut self, reason: impl Into<String>) {
        *self.counts.entry(reason.into()).or_default() += 1;
    }

    /// Whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}
