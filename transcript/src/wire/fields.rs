//! `event_msg` payloads with their items, and the smaller record types.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Event;
use super::scalar::{Int, Str};

/// The fields of every event, and of the item an `item_completed` event holds, flat. Older
/// versions write as events of their own what newer ones write as items, under the same names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Str<'a>,
    #[serde(borrow)]
    pub(crate) id: Str<'a>,
    #[serde(borrow)]
    pub(crate) thread_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) turn_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) item: Option<Event<'a>>,
    pub(crate) started_at_ms: Int,
    pub(crate) completed_at_ms: Int,
    // Turns.
    #[serde(borrow)]
    pub(crate) turn_attribution: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) last_agent_message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) codex_error_info: Option<&'a RawValue>,
    pub(crate) time_to_first_token_ms: Int,
    pub(crate) started_at: Int,
    pub(crate) duration_ms: Int,
    #[serde(borrow)]
    pub(crate) reason: Str<'a>,
    pub(crate) num_turns: Int,
    // Tokens.
    pub(crate) info: Option<Box<CountInfo>>,
    // Prompts and messages.
    #[serde(borrow)]
    pub(crate) message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) images: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) local_images: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) content: Option<&'a RawValue>,
    // Ends of tool calls.
    #[serde(borrow)]
    pub(crate) call_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) status: Str<'a>,
    #[serde(borrow)]
    pub(crate) success: Option<&'a RawValue>,
    pub(crate) exit_code: Int,
    #[serde(borrow)]
    pub(crate) command: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) aggregated_output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) cwd: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) parsed_cmd: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) source: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) process_id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) duration: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) changes: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) stdout: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) stderr: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) invocation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) server: Str<'a>,
    #[serde(borrow)]
    pub(crate) tool: Str<'a>,
    #[serde(borrow)]
    pub(crate) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) query: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) path: Option<&'a RawValue>,
    // Agents.
    #[serde(borrow)]
    pub(crate) event_id: Str<'a>,
    #[serde(borrow, rename = "kind")]
    pub(crate) activity: Str<'a>,
    #[serde(borrow)]
    pub(crate) agent_thread_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) agent_path: Str<'a>,
    #[serde(borrow)]
    pub(crate) receiver_thread_ids: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) receiver_agents: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) agents_states: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) prompt: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) new_thread_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) new_agent_nickname: Str<'a>,
    #[serde(borrow)]
    pub(crate) new_agent_role: Str<'a>,
    // Reviews.
    #[serde(borrow)]
    pub(crate) target: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) user_facing_hint: Str<'a>,
}

/// `turn_attribution` of `task_started` (0.169).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Attribution<'a> {
    #[serde(borrow)]
    pub(crate) parent_turn_id: Str<'a>,
}

/// `info` of `token_count`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CountInfo {
    pub(crate) total_token_usage: Option<Tokens>,
    pub(crate) last_token_usage: Option<Tokens>,
}

/// Token counts as Codex names them.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "Codex's names")]
pub(crate) struct Tokens {
    pub(crate) input_tokens: Int,
    pub(crate) cached_input_tokens: Int,
    pub(crate) cache_write_input_tokens: Int,
    pub(crate) output_tokens: Int,
    pub(crate) reasoning_output_tokens: Int,
    pub(crate) total_tokens: Int,
}

/// `token_usage_record` (0.153 and later).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UsageRecord<'a> {
    #[serde(borrow)]
    pub(crate) thread_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) turn_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) response_id: Str<'a>,
    pub(crate) usage: Tokens,
    pub(crate) thread_token_usage: Option<Tokens>,
}

/// `compacted`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Compacted<'a> {
    #[serde(borrow)]
    pub(crate) message: Str<'a>,
    #[serde(borrow)]
    pub(crate) replacement_history: Option<Vec<&'a RawValue>>,
    /// A number in 0.140, a UUID later.
    #[serde(borrow)]
    pub(crate) window_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) compaction_response_id: Str<'a>,
}

/// `session_meta`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SessionMeta<'a> {
    #[serde(borrow)]
    pub(crate) id: Str<'a>,
    #[serde(borrow)]
    pub(crate) session_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) parent_thread_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) forked_from_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) timestamp: Str<'a>,
    #[serde(borrow)]
    pub(crate) cwd: Str<'a>,
    #[serde(borrow)]
    pub(crate) originator: Str<'a>,
    #[serde(borrow)]
    pub(crate) cli_version: Str<'a>,
    #[serde(borrow)]
    pub(crate) source: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) agent_nickname: Str<'a>,
    #[serde(borrow)]
    pub(crate) agent_role: Str<'a>,
    #[serde(borrow)]
    pub(crate) agent_path: Str<'a>,
    #[serde(borrow)]
    pub(crate) model_provider: Str<'a>,
    #[serde(borrow)]
    pub(crate) base_instructions: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) git: Option<&'a RawValue>,
}

/// A value that was left unread, as a text if it is one and not empty.
pub(crate) fn raw_string(raw: Option<&RawValue>) -> Option<String> {
    serde_json::from_str::<Str<'_>>(raw?.get()).ok()?.owned()
}

/// A value that was left unread.
pub(crate) fn raw_value(raw: Option<&RawValue>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok()
}
