//! The JSON that Codex writes to a hook's stdin, field by field.
//!
//! Only what the journal keeps is named here. Prompts, outputs and messages are skipped while
//! parsing, except a prompt short enough to be a mute command.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Up to this size the input is read whole; beyond it is parsed as a stream, so that a prompt of
/// any size costs no memory.
const WHOLE: usize = 64 * 1024;

/// What Codex sends, all fields of all events; which event has which: see [`super::event`].
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct WireInput {
    pub(crate) hook_event_name: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) transcript_path: Option<String>,
    pub(crate) agent_transcript_path: Option<String>,
    pub(crate) cwd: Option<String>,
    pub(crate) turn_id: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) trigger: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) permission_mode: Option<String>,
}

/// The one content field, read only from input that is small.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WirePrompt {
    prompt: Option<String>,
}

/// A parsed input: its fields, and the prompt if the whole input was small.
pub(crate) struct Parsed {
    pub(crate) input: WireInput,
    pub(crate) prompt: Option<String>,
    /// The input itself if it was small, else what is left of it; for `recordFile` alone.
    pub(crate) text: Vec<u8>,
}

/// Reads and parses one hook input. An error means malformed JSON or a broken pipe; it does not
/// quote the input.
pub(crate) fn parse(mut stdin: impl Read) -> io::Result<Parsed> {
    let mut head = Vec::with_capacity(4096);
    stdin
        .by_ref()
        .take(WHOLE as u64 + 1)
        .read_to_end(&mut head)?;
    if head.len() <= WHOLE {
        let input = serde_json::from_slice(&head).map_err(|error| unquoted(&error))?;
        let prompt = serde_json::from_slice::<WirePrompt>(&head)
            .ok()
            .and_then(|wire| wire.prompt);
        return Ok(Parsed {
            input,
            prompt,
            text: head,
        });
    }
    let stream = io::Cursor::new(head).chain(io::BufReader::with_capacity(WHOLE, stdin));
    let mut parser = serde_json::Deserializer::from_reader(stream);
    let input = WireInput::deserialize(&mut parser).map_err(|error| unquoted(&error))?;
    let text = without_contents(&input);
    Ok(Parsed {
        input,
        prompt: None,
        text,
    })
}

/// The fields of a large input as JSON, with a word on what is not there.
fn without_contents(input: &WireInput) -> Vec<u8> {
    let mut fields = serde_json::to_value(input).unwrap_or_default();
    if let Value::Object(fields) = &mut fields {
        fields.retain(|_, value| !value.is_null());
        let why = format!("all other fields: the input was longer than {WHOLE} bytes");
        fields.insert("omitted".to_owned(), Value::from(why));
    }
    fields.to_string().into_bytes()
}

/// The error without its words: those of a wrong type quote the value, which may be a prompt.
fn unquoted(error: &serde_json::Error) -> io::Error {
    if let Some(kind) = error.io_error_kind() {
        return io::Error::from(kind);
    }
    let place = format!("line {} column {}", error.line(), error.column());
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not a JSON object of Codex's at {place}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_input_gives_its_fields_and_its_prompt() {
        let json = br#"{"session_id":"s","turn_id":"t","transcript_path":null,"cwd":"/w",
            "hook_event_name":"UserPromptSubmit","prompt":"hi","model":"m"}"#;
        let parsed = parse(&json[..]).unwrap();
        assert_eq!(parsed.input.session_id.as_deref(), Some("s"));
        assert_eq!(parsed.input.transcript_path, None);
        assert_eq!(parsed.prompt.as_deref(), Some("hi"));
    }

    #[test]
    fn a_huge_prompt_is_skipped_without_losing_the_fields_behind_it() {
        let json = format!(
            r#"{{"session_id":"s","prompt":"{}","turn_id":"t","hook_event_name":"Stop"}}"#,
            "x\\n".repeat(3 * WHOLE)
        );
        let parsed = parse(json.as_bytes()).unwrap();
        assert_eq!(parsed.input.turn_id.as_deref(), Some("t"));
        assert!(parsed.prompt.is_none());
        let left: Value = serde_json::from_slice(&parsed.text).unwrap();
        assert_eq!(left["hook_event_name"], "Stop");
        assert_eq!(left["session_id"], "s");
        assert!(left["omitted"].as_str().unwrap().contains("65536"));
        assert!(left.get("prompt").is_none());
    }

    #[test]
    fn malformed_json_is_an_error() {
        for bad in ["", "{", "[1]", "nonsense", "{\"session_id\": 3}"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_does_not_quote_the_input() {
        let long = format!("\"{}\"", "my prompt ".repeat(WHOLE));
        for bad in [
            "\"my prompt\"",
            "[[\"my prompt\"]]",
            "{\"cwd\": [\"my prompt\"]}",
            &long,
        ] {
            let Err(error) = parse(bad.as_bytes()) else {
                panic!("{bad:.40} was taken");
            };
            assert!(!error.to_string().contains("my prompt"), "{error}");
        }
    }
}
