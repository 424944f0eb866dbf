//! Where a pipeline stands after a round.

use tokio::time::Instant;

/// Where a pipeline stands after a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, not a state"
)]
pub(crate) struct Standing {
    /// Something new was read.
    pub(crate) grew: bool,
    /// There is more to do at once.
    pub(crate) again: bool,
    /// A rollout that is not where it was will be looked for soon.
    pub(crate) seeks: bool,
    /// A turn that will be delivered is still running.
    pub(crate) open: bool,
    /// Turns wait for the destination.
    pub(crate) pending: bool,
    /// A turn that will be delivered seems to run in a rollout that cannot be read on.
    pub(crate) open_unread: bool,
    /// Since when the latest of the rollouts that cannot be read on is one; what stands behind such a
    /// place is left.
    pub(crate) unread_since: Option<Instant>,
    /// Nothing goes to this destination until somebody changes something.
    pub(crate) stopped: bool,
    /// When waiting turns have a chance.
    pub(crate) retry_at: Option<Instant>,
    /// Since when every attempt has failed.
    pub(crate) failing_since: Option<Instant>,
}

impl Standing {
    /// Whether nothing is left but turns that are still running, and what cannot be read.
    pub(crate) fn is_caught_up(&self) -> bool {
        !self.again && !self.seeks && !self.grew && !self.pending
    }

    /// Whether nothing is left at all.
    pub(crate) fn is_done(&self) -> bool {
        self.is_idle() && !self.pending && self.unread_since.is_none()
    }

    /// Whether only what cannot be read is left.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_idle() && !self.pending && !self.open_unread && self.unread_since.is_some()
    }

    /// Whether nothing is left that could be done now.
    pub(crate) fn is_idle(&self) -> bool {
        !self.again && !self.seeks && !self.open && (self.stopped || !self.pending)
    }
}
