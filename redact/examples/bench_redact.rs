//! How fast secrets are looked for, in MB/s and compared with one pass of `regex` with one rule.
//!
//! `cargo run --release -p codex-tracing-redact --example bench_redact`
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::Scrub;
use regex::Regex;

/// Size of one tool output, about what Codex keeps of a long one.
const OUTPUT_BYTES: usize = 40_000;

fn main() {
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    let Ok(single) = Regex::new(r"sk-ant-[[:alnum:]_-]{20,}") else {
        return;
    };
    let Ok(named) = Regex::new(concat!(
        r#"(?i)\b([a-z0-9_.-]*(?:api[_-]?key|secret|token|password)(?:[_.-][a-z0-9]+)*["']?"#,
        r#"\s*[:=]\s*["']?)[^\s"'&;]{6,}"#,
    )) else {
        return;
    };
    println!(
        "{:<28}{:>12}{:>16}{:>10}{:>16}",
        "", "redact MB/s", "one rule MB/s", "ratio", "rule 21 MB/s"
    );
    for (name, text) in samples() {
        let outputs = pieces(&text);
        let bytes: usize = outputs.iter().map(String::len).sum();
        let ours = megabytes_per_second(bytes, || {
            for output in &outputs {
                black_box(redactor.text(Cow::Borrowed(output)));
            }
        });
        let one = megabytes_per_second(bytes, || {
            for output in &outputs {
                black_box(single.replace_all(output, "x").into_owned());
            }
        });
        let name_value = megabytes_per_second(bytes, || {
            for output in &outputs {
                black_box(named.replace_all(output, "x").into_owned());
            }
        });
        println!(
            "{name:<28}{ours:>12.0}{one:>16.0}{:>10.2}{name_value:>16.0}",
            one / ours
        );
    }
}

/// What tools print: listings, code, logs, JSON; and the text made to look like secrets.
fn samples() -> Vec<(&'static str, String)> {
    let code = [
        include_str!("../src/redactor.rs"),
        include_str!("../src/projection.rs"),
        include_str!("../src/limit.rs"),
    ]
    .concat();
    let log: Vec<String> = (0..400)
        .map(|n| {
            format!(
                "2026-08-01T10:{:02}:{:02}.{n:03}Z INFO app::http: GET /v1/items/{n} 200 {}ms bytes={}\n",
                n / 60 % 60, n % 60, n % 97, n * 7919
            )
        })
        .collect();
    let listing: Vec<String> = (0..400)
        .map(|n| {
            format!(
                "-rw-r--r-- 1 dev dev {:>7} Nov 20 10:00 src/module_{n}/file_{n}.rs\n",
                n * 131
            )
        })
        .collect();
    let json: Vec<String> = (0..300)
        .map(|n| {
            format!(
                "{{\"id\":{n},\"name\":\"item {n}\",\"tags\":[\"a\",\"b\"],\"score\":{}.5}},",
                n * 3
            )
        })
        .collect();
    let (log, listing) = (log.concat(), listing.concat());
    let json = format!("[{}null]", json.concat().repeat(2));
    let suspicious = include_str!("../tests/data/ordinary.txt").to_owned();
    let mixed = [code.as_str(), log.as_str(), listing.as_str(), json.as_str()].concat();
    vec![
        ("ordinary output, mixed", mixed),
        ("code", code),
        ("log", log),
        ("listing", listing),
        ("JSON", json),
        ("false-positive table", suspicious),
    ]
}

/// At least 16 MB of outputs.
fn pieces(text: &str) -> Vec<String> {
    let one = text.repeat((OUTPUT_BYTES / text.len()).max(1));
    vec![one.clone(); (16_000_000 / one.len()).max(1)]
}

/// The best of five rounds.
fn megabytes_per_second(bytes: usize, mut round: impl FnMut()) -> f64 {
    let best = (0..5)
        .map(|_| {
            let started = Instant::now();
            round();
            started.elapsed()
        })
        .min()
        .unwrap_or(Duration::MAX);
    bytes as f64 / 1e6 / best.as_secs_f64()
}
