//! Which tokens are new, from totals that repeat, start at a parent's, or come twice per response.

use crate::Usage;
use crate::record::Counted;

/// The running totals of a rollout.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    /// Latest total as the rollout has it.
    raw: Usage,
    /// The part of it that another thread spent before this one was forked from it.
    inherited: Usage,
    /// Whether any total was seen: the first one tells what was inherited.
    known: bool,
    last_count: Option<Usage>,
}

/// What a `token_count` record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// Nothing new, and said before: a response begins (0.128) or a stream broke.
    Repeated,
    /// Nothing new, said for the first time: the round of tools is over.
    Confirmed,
    /// A response cost this much.
    Spent(Usage),
}

impl Meter {
    pub(super) fn resume(raw: Usage, inherited: Usage) -> Self {
        Self {
            raw,
            inherited,
            known: true,
            last_count: None,
        }
    }

    /// `token_usage_record`: the tokens of one response, exactly.
    pub(super) fn record(&mut self, usage: Usage, thread_total: Option<Usage>) {
        let total = thread_total.unwrap_or(self.raw + usage);
        if !self.known {
            self.known = true;
            self.inherited = minus(total, usage);
        }
        self.raw = total;
    }

    /// `token_count`. Tokens that a `token_usage_record` told of are not told again.
    pub(super) fn count(&mut self, counted: Counted) -> Count {
        let repeated = self.last_count == Some(counted.total);
        self.last_count = Some(counted.total);
        if !self.known {
            self.known = true;
            self.inherited = minus(counted.total, counted.last);
            self.raw = counted.total;
            return if counted.last.is_zero() {
                Count::Confirmed
            } else {
                Count::Spent(counted.last)
            };
        }
        if counted.total == self.raw {
            return if repeated {
                Count::Repeated
            } else {
                Count::Confirmed
            };
        }
        let spent = minus(counted.total, self.raw);
        self.raw = counted.total;
        if spent.is_zero() {
            Count::Repeated
        } else {
            Count::Spent(spent)
        }
    }

    /// A total found in records copied from a parent.
    pub(super) fn inherit(&mut self, total: Usage) {
        self.raw = total;
        self.inherited = total;
        self.known = true;
        self.last_count = Some(total);
    }

    /// Spent in this thread.
    pub(super) fn own(&self) -> Usage {
        minus(self.raw, self.inherited)
    }

    pub(super) fn raw(&self) -> Usage {
        self.raw
    }

    pub(super) fn inherited(&self) -> Usage {
        self.inherited
    }
}

fn minus(whole: Usage, part: Usage) -> Usage {
    Usage {
        input: whole.input.saturating_sub(part.input),
        cached: whole.cached.saturating_sub(part.cached),
        cache_write: whole.cache_write.saturating_sub(part.cache_write),
        output: whole.output.saturating_sub(part.output),
        reasoning: whole.reasoning.saturating_sub(part.reasoning),
        total: whole.total.saturating_sub(part.total),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(n: u64) -> Usage {
        Usage {
            input: n,
            total: n,
            ..Usage::default()
        }
    }

    fn counted(total: u64, last: u64) -> Counted {
        Counted {
            total: tokens(total),
            last: tokens(last),
        }
    }

    #[test]
    fn a_total_told_twice_is_spent_once() {
        let mut meter = Meter::default();
        assert_eq!(meter.count(counted(10, 10)), Count::Spent(tokens(10)));
        assert_eq!(meter.count(counted(10, 10)), Count::Repeated);
        assert_eq!(meter.count(counted(25, 15)), Count::Spent(tokens(15)));
        assert_eq!(meter.own(), tokens(25));
    }

    #[test]
    fn a_count_after_its_record_adds_nothing() {
        let mut meter = Meter::default();
        meter.record(tokens(10), Some(tokens(10)));
        assert_eq!(meter.count(counted(10, 10)), Count::Confirmed);
        assert_eq!(meter.count(counted(10, 10)), Count::Repeated);
    }

    #[test]
    fn what_the_parent_of_a_fork_spent_is_not_the_forks() {
        let mut meter = Meter::default();
        meter.record(tokens(5), Some(tokens(105)));
        assert_eq!(meter.own(), tokens(5));
        let mut older = Meter::default();
        assert_eq!(older.count(counted(105, 5)), Count::Spent(tokens(5)));
        assert_eq!(older.own(), tokens(5));
    }
}
