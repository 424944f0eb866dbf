//! Skills: named by the user in a prompt, or read by the model with a tool.
//!
//! Sources: Codex mentions a skill as `$name` in a prompt and injects what it loads as a user
//! message `<skill><name>…</name>…</skill>`; a skill lives in a folder of its name with a
//! `SKILL.md` and often a `scripts` folder below a folder named `skills`.

use codex_tracing_transcript::{Arguments, Content, ItemBody, Role, ToolCall, ToolKind, Turn};
use serde_json::Value;

/// A skill that a tool call loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skill {
    pub(super) name: String,
    pub(super) path: Option<String>,
}

/// Fields of tool arguments that hold paths or commands.
const FIELDS: [&str; 7] = [
    "path",
    "file_path",
    "filePath",
    "file",
    "command",
    "cmd",
    "resource",
];

/// Lower-case names that are variables of a shell far more often than skills. Upper-case ones
/// never count as skills.
const VARIABLES: [&str; 12] = [
    "home", "path", "pwd", "user", "shell", "term", "lang", "tmp", "temp", "tmpdir", "env", "i",
];

/// Skills that the turn's prompt names or that Codex loaded for it, in order, each once.
pub(super) fn explicit(turn: &Turn) -> Vec<String> {
    let mut names = Vec::new();
    for part in &turn.prompt {
        if let Content::Text(text) = part {
            mentioned(text, &mut names);
        }
    }
    let injected = turn
        .conversations
        .iter()
        .flatten()
        .filter(|item| item.at >= turn.window.started_at);
    for item in injected {
        if let ItemBody::Message {
            role: Role::User,
            content,
            ..
        } = &item.body
        {
            for part in content {
                if let Content::Text(text) = part {
                    loaded(text, &mut names);
                }
            }
        }
    }
    names
}

/// The skill that a tool call reads or runs, if any.
pub(super) fn implicit(call: &ToolCall) -> Option<Skill> {
    match call.kind {
        ToolKind::Function | ToolKind::Custom | ToolKind::Shell | ToolKind::Mcp => {}
        _ => return None,
    }
    if is_skill_reader(call) {
        let Arguments::Json(arguments) = &call.arguments else {
            return None;
        };
        let name = ["name", "package"]
            .iter()
            .find_map(|key| arguments.get(key)?.as_str())
            .filter(|name| is_name(name))?;
        return Some(Skill {
            name: name.to_owned(),
            path: None,
        });
    }
    match &call.arguments {
        Arguments::Text(text) | Arguments::Malformed(text) => in_text(text),
        Arguments::Json(Value::Object(fields)) => FIELDS
            .iter()
            .filter_map(|field| fields.get(*field))
            .find_map(in_value),
        Arguments::Json(_) => None,
    }
}

fn is_skill_reader(call: &ToolCall) -> bool {
    call.name == "skills.read"
        || (call.name == "read" && call.namespace.as_deref() == Some("skills"))
}

fn in_value(value: &Value) -> Option<Skill> {
    match value {
        Value::String(text) => in_text(text),
        Value::Array(words) => words.iter().filter_map(Value::as_str).find_map(in_text),
        _ => None,
    }
}

/// The first path in `text` that leads to a skill.
fn in_text(text: &str) -> Option<Skill> {
    text.split(|c: char| c.is_whitespace() || "\"'`;|&()<>".contains(c))
        .find_map(in_path)
}

fn in_path(path: &str) -> Option<Skill> {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let named = |name: &str| {
        is_name(name).then(|| Skill {
            name: name.to_owned(),
            path: Some(path.to_owned()),
        })
    };
    if let [.., name, "SKILL.md"] = parts.as_slice() {
        return named(name);
    }
    // `scripts` is a common folder name: it counts only in a folder of a folder of skills.
    let scripts = parts.iter().rposition(|part| *part == "scripts")?;
    let above = parts.get(..scripts)?;
    let (name, above) = above.split_last()?;
    let is_file = parts.len() > scripts + 1;
    let in_skills = matches!(above, [.., "skills"] | [.., "skills", ".system"]);
    (is_file && in_skills).then(|| named(name)).flatten()
}

/// Mentions in a prompt: `$name`, `/skills name`, `skill://name`, `…/name/SKILL.md`.
fn mentioned(text: &str, names: &mut Vec<String>) {
    let mut in_code = false;
    let mut after_command = false;
    for token in text.split_inclusive(char::is_whitespace) {
        let quotes = token.matches('`').count();
        let code = in_code || quotes > 0;
        in_code ^= quotes % 2 == 1;
        let token = token.trim();
        let word = token.trim_start_matches(|c: char| "\"'`([{".contains(c));
        let word = word.trim_end_matches(|c: char| "\"'`)]},;:!?.".contains(c));
        if after_command && is_name(word) {
            add(word, names);
        }
        after_command = token == "/skills";
        if let Some(name) = word.strip_prefix("skill://") {
            add(name.split('/').next().unwrap_or_default(), names);
        } else if let Some(skill) = word.ends_with("SKILL.md").then(|| in_path(word)).flatten() {
            add(&skill.name, names);
        } else if let (Some(name), false) = (word.strip_prefix('$'), code)
            && is_mention(name)
        {
            add(name, names);
        }
    }
}

/// `<skill>` blocks that Codex puts into the conversation.
fn loaded(text: &str, names: &mut Vec<String>) {
    let text = text.trim_start();
    let Some(rest) = text.strip_prefix("<skill>") else {
        return;
    };
    let name = rest
        .split_once("<name>")
        .and_then(|(_, rest)| rest.split_once("</name>"))
        .map(|(name, _)| name.trim());
    if let Some(name) = name {
        add(name, names);
    }
}

fn add(name: &str, names: &mut Vec<String>) {
    if is_name(name) && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn is_name(name: &str) -> bool {
    name.chars().any(char::is_alphanumeric)
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.:-".contains(c))
}

/// Whether `$name` means a skill: no price, no variable.
fn is_mention(name: &str) -> bool {
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let has_lower = name.chars().any(|c| c.is_ascii_lowercase());
    begins_well && has_lower && !VARIABLES.contains(&name) && is_name(name)
}

#[cfg(test)]
mod tests;
