mod braintrust;
mod faults;
mod folding;
mod langsmith;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::Collector;

/// What a client saw: the status and the body, or why there was no answer.
type Answer = Result<(u16, String), String>;

/// How long an answer that comes may take, on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// One request over a connection of its own.
fn send(collector: &Collector, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    send_within(PATIENCE, collector, method, path, headers, body)
}

/// The same; no answer within `limit` is none.
fn send_within(
    limit: Duration,
    collector: &Collector,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Answer {
    let address = collector.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(limit)).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .map_err(|error| error.to_string())?;
    let status = answer
        .split(' ')
        .nth(1)
        .ok_or("no answer")?
        .parse()
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("half an answer")?;
    let stated = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    if stated.is_some_and(|stated| stated.parse::<usize>().unwrap() != body.len()) {
        return Err("half a body".to_owned());
    }
    Ok((status, format!("{head}\n\n{body}")))
}

const KEY: &str = "x-api-key: secret\r\n";

fn post(collector: &Collector, path: &str, body: &Value) -> (u16, String) {
    let bytes = body.to_string().into_bytes();
    send(collector, "POST", path, KEY, &bytes).unwrap()
}

const ROOT: &str = "019b7ca9-8f2e-7000-8000-000000000001";
const CHILD: &str = "019b7ca9-8f92-7000-8000-000000000002";
const ROOT_ORDER: &str = "20260102T030405678001Z019b7ca9-8f2e-7000-8000-000000000001";
const CHILD_ORDER: &str = "20260102T030405678001Z019b7ca9-8f2e-7000-8000-000000000001.20260102T030405778002Z019b7ca9-8f92-7000-8000-000000000002";

fn root_run() -> Value {
    json!({
        "id": ROOT, "trace_id": ROOT, "dotted_order": ROOT_ORDER, "name": "turn",
        "run_type": "chain", "session_name": "demo",
        "start_time": "2026-01-02T03:04:05.678001Z", "end_time": "2026-01-02T03:04:09.000000Z",
    })
}

fn child_run() -> Value {
    json!({
        "id": CHILD, "trace_id": ROOT, "parent_run_id": ROOT, "dotted_order": CHILD_ORDER,
        "name": "model", "run_type": "llm", "session_name": "demo",
        "start_time": "2026-01-02T03:04:05.778002Z", "end_time": "2026-01-02T03:04:06.000000Z",
    })
}

/// `value` with some fields changed; null takes one away.
fn with(mut value: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        return value;
    };
    for (field, change) in changes {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(&field)),
            change => value[field] = change,
        }
    }
    value
}
