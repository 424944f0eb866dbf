//! A collector that stores items by id, and the backend that speaks to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use codex_tracing_delivery::{
    Backend, Destination, Facts, Item, Limits, Method, Request, Response, Step, Verdict, View,
    classify_status,
};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::KEY;
use crate::server::{Arrived, Reply, Server, answer};

/// Clones share what is stored.
#[derive(Clone)]
pub(crate) struct Collector {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    faults: VecDeque<Reply>,
    requests: usize,
    stored: BTreeMap<String, Value>,
    refused: Option<String>,
    largest: Option<usize>,
}

impl Collector {
    /// Plays each fault once, every second one only after having stored what came.
    pub(crate) async fn with_faults(faults: impl IntoIterator<Item = Reply>) -> Self {
        let state = Arc::new(Mutex::new(State {
            faults: faults.into_iter().collect(),
            ..State::default()
        }));
        let answering = Arc::clone(&state);
        let server = Server::scripted(move |arrived| answering.lock().unwrap().take(arrived)).await;
        Self { server, state }
    }

    /// Answers 422 to every batch that holds this id.
    pub(crate) fn refusing(self, id: &str) -> Self {
        self.state.lock().unwrap().refused = Some(id.to_owned());
        self
    }

    /// Answers 413 to every longer body.
    pub(crate) fn taking(self, bytes: usize) -> Self {
        self.state.lock().unwrap().largest = Some(bytes);
        self
    }

    pub(crate) fn backend(&self) -> Wire {
        Wire {
            url: self.server.url("items"),
        }
    }

    pub(crate) fn stored(&self) -> Vec<String> {
        self.state.lock().unwrap().stored.keys().cloned().collect()
    }

    pub(crate) fn item(&self, id: &str) -> Value {
        self.state.lock().unwrap().stored[id].clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

impl State {
    fn take(&mut self, arrived: &Arrived) -> Reply {
        assert!(arrived.head.contains(KEY), "{}", arrived.head);
        self.requests += 1;
        let items: Vec<Value> = serde_json::from_slice(&arrived.body).unwrap();
        let refusal = self.refusal(&items, arrived.body.len());
        let fault = self.faults.pop_front();
        let stores = fault.is_none() || self.requests.is_multiple_of(2);
        if refusal.is_none() && stores {
            for item in items {
                let id = item["id"].as_str().unwrap().to_owned();
                self.stored.insert(id, item);
            }
        }
        fault.or(refusal).unwrap_or_else(|| answer(200, "{}"))
    }

    fn refusal(&self, items: &[Value], bytes: usize) -> Option<Reply> {
        if self.largest.is_some_and(|largest| bytes > largest) {
            return Some(answer(413, "too large"));
        }
        let refused = self.refused.as_deref()?;
        let has_refused = items.iter().any(|item| item["id"] == refused);
        has_refused.then(|| answer(422, &format!("{refused} is not welcome")))
    }
}

/// Sends JSON arrays.
pub(crate) struct Wire {
    url: String,
}

impl Wire {
    pub(crate) fn at(url: String) -> Self {
        Self { url }
    }

    pub(crate) fn destination() -> Destination {
        Destination {
            id: "d-1".to_owned(),
            index: 0,
            label: "collector".to_owned(),
            has_key: true,
        }
    }
}

impl Backend for Wire {
    fn name(&self) -> &'static str {
        "wire"
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

    fn handshake(&self, _: &Destination, _: &Facts, _: Timestamp) -> Option<Request> {
        None
    }

    fn learn(&self, _: &Destination, _: &mut Facts, _: &Response, _: Timestamp) -> Verdict {
        Verdict::Acknowledged
    }

    fn probe(&self, _: &Destination) -> Option<Request> {
        None
    }

    fn limits(&self, _: &Destination, _: &Facts) -> Limits {
        Limits {
            items: 100,
            bytes: 20 << 20,
        }
    }

    fn request(&self, _: &Destination, _: &Facts, items: &[&Item]) -> Request {
        let bodies: Vec<&[u8]> = items.iter().map(|item| item.body.as_slice()).collect();
        let body = [b"[".as_slice(), &bodies.join(b",".as_slice()), b"]"].concat();
        Request {
            method: Method::Post,
            url: self.url.clone(),
            headers: Vec::new(),
            secret_headers: vec![("x-api-key", SecretString::from(KEY))],
            body,
        }
    }

    fn settle(
        &self,
        _: &Destination,
        _: &mut Facts,
        _: &[&Item],
        _: usize,
        response: &Response,
    ) -> Step {
        Step::Done(classify_status(response))
    }
}
