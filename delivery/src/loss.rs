//! Nothing is dropped silently: a count for each reason.

use std::collections::BTreeMap;

use codex_tracing_transcript::Skipped;
use serde::{Deserialize, Serialize};

/// Why something did not arrive, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// An item lost its biggest fields to a marker because it was too large.
    ItemShrunk,
    /// The server will never take the item.
    ItemRejected,
    /// The rollout of a subagent was never found, or that of a session is gone with turns of which
    /// hooks told.
    RolloutMissing,
    /// A turn was given up: its place in the session or its rollout is gone.
    TurnLost,
}

impl Loss {
    /// The stable name under which it is counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::ItemShrunk => "item_shrunk",
            Self::ItemRejected => "item_rejected",
            Self::RolloutMissing => "rollout_missing",
            Self::TurnLost => "turn_lost",
        }
    }
}

/// Losses, counted by reason. Reasons that a newer version counted are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Losses {
    counts: BTreeMap<String, u64>,
}

impl Losses {
    /// Counts `how_many` more.
    pub fn add(&mut self, loss: Loss, how_many: u64) {
        self.add_named(loss.name(), how_many);
    }

    /// Counts what was left out while reading a rollout, each reason as `skipped:<reason>`.
    pub fn add_skipped(&mut self, skipped: &Skipped) {
        for (reason, count) in &skipped.counts {
            self.add_named(&format!("skipped:{reason}"), *count);
        }
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (reason, count) in &other.counts {
            self.add_named(reason, *count);
        }
    }

    /// Reasons and counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn add_named(&mut self, reason: &str, how_many: u64) {
        if how_many > 0 {
            let count = self.counts.entry(reason.to_owned()).or_default();
            *count = count.saturating_add(how_many);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_add_up_by_reason_and_survive_storage() {
        let mut losses = Losses::default();
        losses.add(Loss::ItemShrunk, 2);
        losses.add(Loss::ItemShrunk, 1);
        losses.add(Loss::ItemRejected, 0);
        let mut skipped = Skipped::default();
        skipped.count("not_json");
        losses.add_skipped(&skipped);
        let mut sum: Losses = serde_json::from_str(r#"{"from_the_future":4}"#).unwrap();
        sum.merge(&losses);
        let text = serde_json::to_string(&sum).unwrap();
        assert_eq!(
            text,
            r#"{"from_the_future":4,"item_shrunk":3,"skipped:not_json":1}"#
        );
        assert_eq!(serde_json::from_str::<Losses>(&text).unwrap(), sum);
        assert!(!sum.is_empty() && Losses::default().is_empty());
    }
}
