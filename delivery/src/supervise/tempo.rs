//! How patient a supervisor is, and why it leaves.

use std::time::Duration;

use tokio::time::Instant;

/// How long is waited for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tempo {
    /// Between two looks at the files while something happens.
    pub poll: Duration,
    /// Between two looks while nothing happens.
    pub slow_poll: Duration,
    /// How long files must stand still before it is noted that nothing but running turns is left:
    /// a note costs a cursor write, and only a flush beside a worker reads it.
    pub quiet: Duration,
    /// How long to stay when everything is done.
    pub linger: Duration,
    /// Longest single attempt to send; a body that is on its way then may still arrive.
    pub attempt: Duration,
    /// How long a destination may fail, or a rollout be unreadable, before that is left for the next
    /// hook or flush.
    pub give_up: Duration,
    /// How long all destinations may fail before a flush with others is made way for.
    pub makes_way: Duration,
    /// The same where one has not failed yet, but taken nothing either.
    pub makes_way_unanswered: Duration,
    /// How long files must stand still before a turn of a Codex that is gone is cut off.
    pub still: Duration,
    /// The same where nobody can tell whether Codex is gone.
    pub long_still: Duration,
    /// Longest life without any news.
    pub without_news: Duration,
    /// Whether running turns of a living Codex are waited for.
    pub awaits_open_turns: bool,
    /// When to leave whatever is left.
    pub deadline: Option<Instant>,
}

impl Tempo {
    /// Of a worker in the background.
    pub fn worker() -> Self {
        Self {
            poll: Duration::from_millis(150),
            slow_poll: Duration::from_millis(300),
            quiet: Duration::from_secs(2),
            linger: Duration::from_secs(3),
            attempt: Duration::from_mins(1),
            give_up: Duration::from_mins(10),
            makes_way: Duration::from_secs(3),
            // Longer than a body may stand still on its way.
            makes_way_unanswered: Duration::from_secs(20),
            still: Duration::from_millis(1500),
            // A build that takes long writes no record either.
            long_still: Duration::from_mins(30),
            without_news: Duration::from_hours(1),
            awaits_open_turns: true,
            deadline: None,
        }
    }

    /// Of a flush in the foreground that ends at `deadline`.
    pub fn flush(deadline: Instant) -> Self {
        Self {
            poll: Duration::from_millis(25),
            linger: Duration::ZERO,
            awaits_open_turns: false,
            deadline: Some(deadline),
            ..Self::worker()
        }
    }
}

/// Why a supervisor left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Nothing is left to do.
    Finished,
    /// Somebody else holds the lock.
    AlreadyRunning,
    /// Some destination failed for too long or refuses, or a rollout cannot be read on; the cursor
    /// stays.
    GaveUp,
    /// Nothing happened for a long time.
    NoNews,
    /// The deadline came.
    OutOfTime,
    /// It was asked to leave (SIGTERM).
    Terminated,
    /// Nothing answered, and a flush with other destinations has asked for the session.
    MadeWay,
    /// Another Codex process has taken the session up; its worker, with its settings, goes on.
    Succeeded,
}
