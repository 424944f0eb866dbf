//! What the project is tested with: the real Codex CLI, servers on loopback that stand in for the
//! model, LangSmith and Braintrust, sandboxes to run Codex in, and recorded sessions.
//!
//! Nothing here ships in the product, and nothing here reaches beyond loopback, but for
//! [`CodexCli::get`], which installs a pinned Codex from npm.

mod chunks;
mod collector;
mod loopback;
mod model_server;

pub use collector::{Collector, Content, Fault, Part, Request, Row, Rows, Run, Runs};
pub use model_server::{ModelRequest, ModelServer};
