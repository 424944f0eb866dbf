//! Token counts.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// Tokens of one model call, or a sum of such. Source: `usage` of `token_usage_record`, or
/// `last_token_usage` of `token_count` before Codex 0.153.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input: u64,
    /// Input tokens read from the prompt cache; part of `input`.
    pub cached: u64,
    /// Input tokens written to the prompt cache (Codex 0.147 and later); part of `input`.
    pub cache_write: u64,
    /// All output tokens, reasoning included.
    pub output: u64,
    /// Reasoning tokens; part of `output`.
    pub reasoning: u64,
    /// The total as Codex reports it.
    pub total: u64,
}

impl Usage {
    /// Whether nothing was spent.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            cached: self.cached.saturating_add(other.cached),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            output: self.output.saturating_add(other.output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            total: self.total.saturating_add(other.total),
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
