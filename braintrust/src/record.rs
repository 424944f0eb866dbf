//! `recordFile`: hook events as lines of NDJSON, for replay and debugging.
//!
//! One line is one event in the shape that `trace-codex` recordings have always had:
//! `{"queueId", "eventSource", "eventSourceVersion", "eventName", "eventData"}` with what Codex
//! gave the hook in `eventData`. Recordings of the original plugin can thus be read as well.
//! Texts pass the redactor and keys are blanked, so that a recording holds no secret. Files are
//! opened and written elsewhere.

use codex_tracing_transcript::Scrub;
use serde_json::{Map, Value, json};

/// What stands in place of a key.
const BLANK: &str = "__redacted__";

/// A line or an event that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The hook event is no JSON object.
    #[error("the hook event cannot be recorded: it is not a JSON object")]
    Event,
    /// The recorded line is no JSON.
    #[error("not a line of a recording: it is not JSON (byte column {column})")]
    Line {
        /// Where reading stopped.
        column: usize,
    },
    /// The recorded line has no event in it.
    #[error("not a line of a recording: `eventData` is missing or not an object")]
    NoEvent,
}

/// One line, without newline, for the hook event `event_json` (what Codex wrote to the hook's
/// standard input). `codex_version` is put down as it is; `scrub` redacts every text.
pub fn record_line(
    event_json: &str,
    codex_version: Option<&str>,
    scrub: &dyn Scrub,
) -> Result<String, RecordError> {
    let Ok(Value::Object(event)) = serde_json::from_str(event_json) else {
        return Err(RecordError::Event);
    };
    let text = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
    let queue = text("session_id");
    let name = text("hook_event_name").unwrap_or_default();
    let mut data = Value::Object(event);
    scrub.json(&mut data);
    blank_keys(&mut data);
    Ok(json!({
        "queueId": queue,
        "eventSource": "codex",
        "eventSourceVersion": codex_version,
        "eventName": name,
        "eventData": data,
    })
    .to_string())
}

/// The hook event of a recorded line as JSON, ready to be handed to the hook again. `None` for
/// lines that hold none: blank ones, and the settings that the original plugin recorded among its
/// events (replay takes its settings, and above all its key, from the present).
pub fn parse_record_line(line: &str) -> Result<Option<String>, RecordError> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let mut record: Map<String, Value> =
        serde_json::from_str(line).map_err(|error| RecordError::Line {
            column: error.column(),
        })?;
    let name = record.remove("eventName");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    if name.starts_with("__") {
        return Ok(None);
    }
    let Some(Value::Object(mut event)) = record.remove("eventData") else {
        return Err(RecordError::NoEvent);
    };
    // A blanked key is no key.
    event.retain(|_, value| value != BLANK);
    if !name.is_empty() {
        event
            .entry("hook_event_name")
            .or_insert_with(|| Value::from(name));
    }
    Ok(Some(Value::Object(event).to_string()))
}

/// Blanks the values of keys that hold credentials, at any depth.
fn blank_keys(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if is_secret(key) && !value.is_null() {
                    *value = Value::from(BLANK);
                } else {
                    blank_keys(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(blank_keys),
        _ => {}
    }
}

fn is_secret(key: &str) -> bool {
    let key: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    key.ends_with("apikey")
        || ["authorization", "password", "accesstoken", "secretkey"].contains(&key.as_str())
}

#[cfg(test)]
mod tests {
    use codex_tracing_transcript::Verbatim;

    use super::*;

    const EVENT: &str = r#"{"session_id":"s","hook_event_name":"Stop","cwd":"/w","turn_id":"t"}"#;

    #[test]
    fn an_event_comes_back_as_it_was() {
        let line = record_line(EVENT, Some("0.169.0"), &Verbatim).expect("recorded");
        assert!(!line.contains('\n'));
        let record: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(record["queueId"], "s");
        assert_eq!(record["eventName"], "Stop");
        assert_eq!(record["eventSourceVersion"], "0.169.0");
        let event = parse_record_line(&line).expect("parsed").expect("event");
        assert_eq!(event, EVENT);
    }

    #[test]
    fn a_recording_holds_no_key_and_what_the_redactor_takes() {
        struct NoPrompts;
        impl Scrub for NoPrompts {
            fn text(&self, _: std::borrow::Cow<'_, str>) -> String {
                String::new()
            }
            fn json(&self, value: &mut Value) {
                if let Some(prompt) = value.get_mut("prompt") {
                    *prompt = Value::from("[redacted]");
                }
            }
            fn image(&self, url: std::borrow::Cow<'_, str>) -> String {
                url.into_owned()
            }
        }
        let event =
            r#"{"prompt":"key is sk-1","apiKey":"sk-2","x":[{"BRAINTRUST_API_KEY":"sk-3"}]}"#;
        let line = record_line(event, None, &NoPrompts).expect("recorded");
        assert!(!line.contains("sk-"), "{line}");
        assert!(line.contains(BLANK));
    }

    #[test]
    fn a_replay_takes_no_key_from_the_recording() {
        let event = r#"{"session_id":"s","hook_event_name":"Stop","apiKey":"sk-1"}"#;
        let line = record_line(event, None, &Verbatim).expect("recorded");
        let event = parse_record_line(&line).expect("parsed").expect("event");
        assert!(
            !event.contains("apiKey") && !event.contains(BLANK),
            "{event}"
        );
    }

    #[test]
    fn recordings_of_the_original_plugin_are_read() {
        let line = r#"{"queueId":"s","eventSource":"codex","eventSourceVersion":null,"eventName":"Stop","eventData":{"session_id":"s"}}"#;
        let event = parse_record_line(line).expect("parsed").expect("event");
        assert_eq!(event, r#"{"session_id":"s","hook_event_name":"Stop"}"#);
        let settings =
            r#"{"eventName":"__braintrust_config","eventData":{"apiKey":"__redacted__"}}"#;
        assert!(parse_record_line(settings).expect("parsed").is_none());
        assert!(parse_record_line("  ").expect("parsed").is_none());
    }

    #[test]
    fn what_is_no_event_is_refused() {
        assert!(matches!(
            record_line("[]", None, &Verbatim),
            Err(RecordError::Event)
        ));
        assert!(matches!(
            parse_record_line("{"),
            Err(RecordError::Line { .. })
        ));
        assert!(matches!(parse_record_line("{}"), Err(RecordError::NoEvent)));
    }
}
