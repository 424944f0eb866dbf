//! Keys that custom metadata and settings never set.

/// Keys of the contract that this program decides, and keys that mean something to LangSmith.
/// The contract's personal keys (`user_id`, `local_username`, `user_email`) and `sandbox_type`
/// are not among them: those are the user's to give.
const RESERVED: [&str; 14] = [
    "thread_id",
    "session_id",
    "conversation_id",
    "turn_id",
    "turn_number",
    "repository_url",
    "repository_provider",
    "repository_name",
    "git_branch",
    "git_commit_sha",
    "cwd",
    "approval_policy",
    "usage_metadata",
    "codex_cli_version",
];

/// Whether `name` is left out of custom metadata and settings.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with("ls_") || RESERVED.contains(&name)
}
