//! What Codex keeps in its home about plugins: `config.toml`, the folders of plugins, and which hooks
//! are trusted.
//!
//! Everything Codex does not promise and we have measured stands here, once: the product's `doctor`
//! reads it, the installer and the tests write it (feature `edit`). Reading changes nothing. Writing
//! keeps what stands beside it in `config.toml`, and a copy of the file from before.
//!
//! The crate refuses to know a backend, and to run Codex.

mod config;
#[cfg(feature = "edit")]
mod edit;
mod error;
mod folders;
mod plugin;
mod trust;
mod version;

pub use config::{CodexConfig, Said, read_config};
#[cfg(feature = "edit")]
pub use edit::{
    BACKUP, edit_config, forget_backup, forget_flags, forget_trust, install_by_hand,
    uninstall_by_hand, write_trust,
};
pub use error::Error;
pub use folders::{plugin_cache, plugin_data};
pub use plugin::Plugin;
pub use trust::{HookState, TrustRecord, hook_records, hook_state, trust_records, trusted_content};
pub use version::{CodexVersion, NoVersion};
