//! The sender against scripted answers on a paused clock.

mod batches;
mod handshake;
mod scripts;
mod waits;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::{HttpError, Limits, Method, Request, Step, View, classify_status};

/// A backend that takes what HTTP statuses say, with switches for what tests need.
#[derive(Debug, Clone)]
struct Plain {
    limits: Limits,
    /// Names of facts to be learned, in order, before anything is sent.
    needs: Vec<&'static str>,
    /// Statuses upon which a batch asks for a follow-up.
    follow_up: Vec<u16>,
    /// A status upon which the facts are forgotten and the batch is tried again.
    forgets_on: Option<u16>,
}

impl Default for Plain {
    fn default() -> Self {
        Self {
            limits: Limits {
                items: 100,
                bytes: 1_000_000,
            },
            needs: Vec::new(),
            follow_up: Vec::new(),
            forgets_on: None,
        }
    }
}

fn request(url: &str, body: Vec<u8>) -> Request {
    Request {
        method: Method::Post,
        url: format!("https://traces.test/{url}"),
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body,
    }
}

impl Backend for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn destinations(&self) -> &[Destination] {
        &[]
    }

    fn is_live(&self) -> bool {
        false
    }

    fn map(&self, _: &Destination, _: &View<'_>) -> Vec<Item> {
        Vec::new()
    }

    fn handshake(&self, _: &Destination, facts: &Facts, _: Timestamp) -> Option<Request> {
        let missing = |name: &&&str| !facts.values.contains_key(**name);
        let name = self.needs.iter().find(missing)?;
        Some(request(name, Vec::new()))
    }

    fn learn(
        &self,
        _: &Destination,
        facts: &mut Facts,
        response: &Response,
        _: Timestamp,
    ) -> Verdict {
        let name = String::from_utf8_lossy(&response.body).into_owned();
        if response.is_success() && !name.is_empty() {
            facts.values.insert(name, "known".to_owned());
        }
        classify_status(response)
    }

    fn probe(&self, _: &Destination) -> Option<Request> {
        None
    }

    fn limits(&self, _: &Destination, _: &Facts) -> Limits {
        self.limits
    }

    fn request(&self, _: &Destination, _: &Facts, items: &[&Item]) -> Request {
        let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        assert!(!ids.is_empty(), "no request without items");
        let bytes: usize = items.iter().map(|item| item.body.len()).sum();
        request("items", format!("{bytes} {}", ids.join(" ")).into_bytes())
    }

    fn settle(
        &self,
        _: &Destination,
        facts: &mut Facts,
        _: &[&Item],
        step: usize,
        response: &Response,
    ) -> Step {
        if self.forgets_on == Some(response.status) {
            facts.values.clear();
            return Step::Done(Verdict::Retry(None));
        }
        if self.follow_up.contains(&response.status) {
            return Step::Next(request(&format!("step-{step}"), Vec::new()));
        }
        Step::Done(classify_status(response))
    }
}

/// What was asked: the path, and for batches size and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    path: String,
    bytes: usize,
    ids: Vec<String>,
    at: Duration,
}

type Answer = dyn FnMut(&Asked) -> Result<Response, HttpError> + Send;

/// Answers by a function and remembers what was asked, and when.
#[derive(Clone)]
struct Scripted {
    answer: Arc<Mutex<Box<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    began_at: Instant,
}

impl Scripted {
    fn new(answer: impl FnMut(&Asked) -> Result<Response, HttpError> + Send + 'static) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Box::new(answer))),
            asked: Arc::default(),
            began_at: Instant::now(),
        }
    }

    /// The answers one after the other, then 200 for ever.
    fn answers<const N: usize>(answers: [Result<Response, HttpError>; N]) -> Self {
        let mut answers = VecDeque::from(answers);
        Self::new(move |_| answers.pop_front().unwrap_or_else(|| status(200)))
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

impl Exchange for Scripted {
    async fn exchange(&self, request: Request) -> Result<Response, HttpError> {
        // Answers take a little, so that the clock moves even if nobody waits.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let body = String::from_utf8(request.body).unwrap();
        let mut words = body.split_whitespace();
        let asked = Asked {
            path: request.url.rsplit('/').next().unwrap().to_owned(),
            bytes: words.next().map_or(0, |bytes| bytes.parse().unwrap()),
            ids: words.map(str::to_owned).collect(),
            at: self.began_at.elapsed(),
        };
        self.asked.lock().unwrap().push(asked.clone());
        (self.answer.lock().unwrap())(&asked)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "scripts mix answers and errors")]
fn status(status: u16) -> Result<Response, HttpError> {
    Ok(Response {
        status,
        retry_after: None,
        content_type: None,
        body: b"words".to_vec(),
    })
}

fn busy(status: u16, seconds: u64) -> Result<Response, HttpError> {
    let retry_after = Some(Duration::from_secs(seconds));
    Ok(Response {
        retry_after,
        ..self::status(status)?
    })
}

fn no_answer() -> Result<Response, HttpError> {
    Err(HttpError::Timeout {
        host: "traces.test".to_owned(),
    })
}

fn destination() -> Destination {
    Destination {
        id: "d-1".to_owned(),
        index: 0,
        label: "traces.test/codex".to_owned(),
        has_key: true,
    }
}

/// Items `0`, `1`, … with bodies of about `bytes`.
fn items(count: usize, bytes: usize) -> Vec<Item> {
    (0..count)
        .map(|number| Item {
            id: number.to_string(),
            body: format!(r#"{{"id":"{number}","input":"{}"}}"#, "x".repeat(bytes)).into_bytes(),
            known: false,
        })
        .collect()
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn unsent_ids(report: &SendReport) -> Vec<String> {
    report.unsent.iter().map(|item| item.id.clone()).collect()
}

/// A sender without jitter, its script, and the folder its facts are in.
struct Bench {
    sender: Sender<Scripted>,
    script: Scripted,
    folder: TempDir,
}

fn bench(backend: Plain, script: Scripted) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = FactsStore::new(folder.path());
    let policy = RetryPolicy {
        jitter: 0.0,
        ..RetryPolicy::default()
    };
    let sender =
        Sender::new(Arc::new(backend), destination(), script.clone(), store).with_retry(policy, 1);
    Bench {
        sender,
        script,
        folder,
    }
}

impl Bench {
    async fn send(&mut self, items: Vec<Item>) -> SendReport {
        self.send_within(items, 3600).await
    }

    async fn send_within(&mut self, items: Vec<Item>, seconds: u64) -> SendReport {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        self.sender.send(items, deadline).await
    }
}
