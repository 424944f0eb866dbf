//! Codex rollouts as a backend-neutral session model.
//!
//! bytes → [`Lines`] → records → [`Assembler`] → [`Session`] and [`Turn`]s. Everything but
//! [`Tail`] and [`locate`](locate()) is pure: no I/O, no clock, no environment,
//! and total: any byte sequence in, never a panic, never an error for content it does not know.
//! What is skipped is counted by reason in [`Skipped`].

mod assemble;
mod lines;
mod locate;
mod model;
mod record;
mod rollout;
mod scrub;
mod skipped;
mod tail;
mod wire;

pub use assemble::{Assembler, Carry};
pub use lines::{Lines, MAX_LINE};
pub use locate::{is_session_file, locate, locate_all, locate_beginning, locate_in};
pub use model::{
    AgentCall, Answer, Approval, Arguments, CallError, Compaction, Content, Delegation, FileChange,
    FollowUp, Git, Item, ItemBody, ModelCall, ModelInput, Origin, Outcome, Output, Role, Session,
    Subagent, ToolCall, ToolKind, ToolStatus, Turn, TurnContext, TurnError, TurnKind, TurnStatus,
    Usage, Window,
};
pub use rollout::{Rollout, read_rollout};
pub use scrub::{Scrub, Verbatim};
pub use skipped::Skipped;
pub use tail::{FileIdentity, Progress, Tail};
