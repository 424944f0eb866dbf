//! Entries of the conversation.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Arguments, Output};

/// One entry of the conversation between the client and the model (a `response_item`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// Timestamp of its record.
    pub at: Timestamp,
    /// The item's own id, where the version writes one.
    pub id: Option<String>,
    /// What it is.
    pub body: ItemBody,
}

/// The kinds of conversation items.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemBody {
    /// A message of any role.
    Message {
        /// Who speaks.
        role: Role,
        /// Parts in order.
        content: Vec<Content>,
        /// `commentary` or `final_answer` on assistant messages of newer versions.
        phase: Option<String>,
    },
    /// Reasoning of the model.
    Reasoning {
        /// Summary texts.
        summary: Vec<String>,
        /// Raw reasoning texts, where the provider shows them.
        content: Vec<String>,
        /// Whether an encrypted copy was there (it is never kept).
        encrypted: bool,
    },
    /// The model asks for a tool: function, custom, local shell, tool search.
    ToolCall {
        /// Id that joins call and output.
        call_id: String,
        /// Wire type, such as `function_call` or `custom_tool_call`.
        kind: String,
        /// Native name.
        name: String,
        /// Namespace, such as `mcp__notes` or `multi_agent_v1`.
        namespace: Option<String>,
        /// What the model passed.
        arguments: Arguments,
    },
    /// What the tool answered to the model.
    ToolOutput {
        /// Id that joins call and output.
        call_id: String,
        /// The answer.
        output: Output,
    },
    /// A message between agents (v2), `author` and `recipient` being agent paths.
    AgentMessage {
        /// Sender, such as `/root/alpha`.
        author: Option<String>,
        /// Receiver, such as `/root`.
        recipient: Option<String>,
        /// Parts in order; an encrypted part is a [`Content::Other`] of kind `encrypted_content`
        /// without its bytes.
        content: Vec<Content>,
    },
    /// Any other item (`web_search_call`, `image_generation_call`, `additional_tools`, unknown
    /// ones): its wire type and its fields, encrypted and internal ones left out.
    Other {
        /// Wire type.
        kind: String,
        /// The item's fields.
        value: Value,
    },
}

/// Who speaks in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user's side, environment context included.
    User,
    /// The model.
    Assistant,
    /// Instructions of the client.
    Developer,
    /// System instructions.
    System,
    /// Any other role, by name.
    Other(String),
}

/// One part of a message or tool output.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// `input_text`, `output_text`, `text`.
    Text(String),
    /// `input_image`: a data URL, web URL or reference; `local_image`: a path.
    Image(String),
    /// Any other part.
    Other {
        /// Wire type.
        kind: String,
        /// The part's fields.
        value: Value,
    },
}
