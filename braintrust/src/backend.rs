//! The backend: settings put together with mapping, requests and responses.

use codex_tracing_config::BraintrustSettings;
use codex_tracing_delivery::{
    Backend, Destination, Facts, Item, Limits, Request, Response, Step, Verdict, View,
};
use codex_tracing_redact::Redactor;
use jiff::Timestamp;

use crate::settings::Target;
use crate::{map, request, response};

/// Rows per request, as in Braintrust's SDKs.
const BATCH_ROWS: usize = 100;

/// Bytes per request: half of what every server takes, so that no batch needs to ask first. A
/// server with a lower limit answers 413, tells its limit when asked, and gets uploads.
const BATCH_BYTES: usize = 3 * 1024 * 1024;

/// What a request adds to a row's bytes.
const BYTES_ADDED_PER_ROW: usize = 80;

/// Sends sessions to Braintrust.
pub struct Braintrust {
    target: Target,
    destinations: [Destination; 1],
}

impl Braintrust {
    /// From effective settings. `redactor` scrubs what this backend adds to the model (custom
    /// metadata, the repository's URL); `version` is the plugin's, put into every span's origin.
    pub fn new(settings: &BraintrustSettings, redactor: Redactor, version: &str) -> Self {
        let target = Target::new(settings, redactor, version);
        let destinations = [target.destination()];
        Self {
            target,
            destinations,
        }
    }
}

impl Backend for Braintrust {
    fn name(&self) -> &'static str {
        "braintrust"
    }

    fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    fn is_live(&self) -> bool {
        self.target.live
    }

    fn map(&self, _: &Destination, view: &View<'_>) -> Vec<Item> {
        map::map(&self.target, view)
    }

    fn handshake(&self, _: &Destination, facts: &Facts, _: Timestamp) -> Option<Request> {
        match request::api_url(&self.target, facts) {
            None => Some(request::login(&self.target)),
            Some(_) if response::has_project(facts) => None,
            Some(api) => Some(request::project(&self.target, facts, api)),
        }
    }

    fn learn(
        &self,
        _: &Destination,
        facts: &mut Facts,
        response: &Response,
        now: Timestamp,
    ) -> Verdict {
        match request::api_url(&self.target, facts) {
            None => response::learn_login(&self.target, facts, response, now),
            Some(_) => response::learn_project(facts, response, now),
        }
    }

    fn probe(&self, _: &Destination) -> Option<Request> {
        // Not the project by its name: asking for that creates it.
        let facts = Facts::default();
        Some(match request::api_url(&self.target, &facts) {
            None => request::login(&self.target),
            Some(api) => request::projects(&self.target, &facts, api),
        })
    }

    fn limits(&self, _: &Destination, _: &Facts) -> Limits {
        Limits {
            items: BATCH_ROWS,
            bytes: BATCH_BYTES - BATCH_ROWS * BYTES_ADDED_PER_ROW,
        }
    }

    fn request(&self, _: &Destination, facts: &Facts, items: &[&Item]) -> Request {
        let body = request::rows(facts, items);
        if response::begins_with_upload(facts, body.len()) {
            return request::announce(&self.target, facts, items, body.len());
        }
        request::logs3(&self.target, facts, body)
    }

    fn settle(
        &self,
        _: &Destination,
        facts: &mut Facts,
        items: &[&Item],
        step: usize,
        response: &Response,
    ) -> Step {
        response::settle(&self.target, facts, items, step, response)
    }
}
