//! What the project is tested with: the real Codex CLI, servers on loopback that stand in for the
//! model, LangSmith and Braintrust, sandboxes to run Codex in, and recorded sessions.
//!
//! Nothing here ships in the product, and nothing here reaches beyond loopback, but for
//! [`CodexCli::get`], which installs a pinned Codex from npm.

mod bundles;
mod chunks;
mod codex;
mod codex_home;
mod collector;
mod load;
mod loopback;
mod mcp_server;
mod model_server;
mod outline;
mod readme;
mod replay;
mod scenario;
mod skip;
mod stage;
mod surroundings;
mod versions;

pub use bundles::{binary, binary_in, bundles, bundles_with_fail_points, xtask};
pub use codex::CodexCli;
pub use codex_home::{CodexHome, ENDED, Output, Running};
/// What tests prepare and look at in Codex's home.
pub use codex_tracing_codex_home::{
    BACKUP, CodexVersion, Plugin, TrustRecord, edit_config, forget_backup, forget_trust,
    install_by_hand, trust_records, uninstall_by_hand, write_trust,
};
pub use collector::{Collector, Content, Fault, Part, Request, Row, Rows, Run, Runs};
pub use load::{Load, LoadReport, MemoryReport, deliver_large};
pub use mcp_server::{McpRequest, McpServer};
pub use model_server::{ModelRequest, ModelServer};
pub use outline::assert_outline;
pub use readme::{Typed, readme_commands};
pub use replay::{Enlarged, HookRun, Replay, Worker, longest_and_median, own_bytes, peak_bytes};
pub use scenario::{Keys, Scenario, Step, corpus};
pub use skip::{skip, skips_file};
pub use stage::{PATIENCE, Product, Stage};
pub use surroundings::{program, repository, target_dir, toolchain, variable};
pub use versions::{NEWEST, OLDEST, versions};
