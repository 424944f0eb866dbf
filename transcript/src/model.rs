//! The session model: values only, no behaviour beyond reading them.
//!
//! `Serialize` is for `view --json` and snapshots; no model type is ever read back.

mod compaction;
mod item;
mod model_call;
mod session;
mod subagent;
mod tool_call;
mod turn;
mod usage;

pub use compaction::Compaction;
pub use item::{Content, Item, ItemBody, Role};
pub use model_call::{CallError, ModelCall, ModelInput};
pub use session::{Git, Origin, Session};
pub(crate) use subagent::placed;
pub use subagent::{AgentCall, Delegation, FollowUp, Subagent};
pub use tool_call::{
    Approval, Arguments, FileChange, Outcome, Output, ToolCall, ToolKind, ToolStatus,
};
pub use turn::{Answer, Turn, TurnContext, TurnError, TurnKind, TurnStatus, Window};
pub use usage::Usage;
