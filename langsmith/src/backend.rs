//! The [`Backend`] of LangSmith.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use codex_tracing_config::LangSmithSettings;
use codex_tracing_delivery::{
    Backend, Destination, Facts, Item, Limits, Request, Response, Step, Verdict, View,
};
use codex_tracing_redact::Redactor;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::map::{self, Scene};
use crate::parent::Parent;
use crate::settings::{self, Target};
use crate::{replica, request, response, server, sidecar};

/// Sends sessions to LangSmith.
pub struct LangSmith {
    targets: Vec<Target>,
    destinations: Vec<Destination>,
    parent: Option<Parent>,
    custom: Map<String, Value>,
    redactor: Redactor,
    version: String,
    agent: String,
    live: bool,
}

impl LangSmith {
    /// For these settings. `redactor` scrubs what does not come from the transcript (custom
    /// metadata, replica updates, a caller's baggage, git URLs); `version` is this program's.
    ///
    /// Parent headers that cannot be read are left out; [`crate::check_parent`] tells why.
    pub fn new(settings: &LangSmithSettings, redactor: Redactor, version: &str) -> Self {
        let headers = settings.parent_headers.as_ref();
        let parent = headers.and_then(|headers| Parent::parse(headers).ok());
        let parent = parent.map(|parent| parent.redacted(&redactor));
        let project = parent.as_ref().and_then(|parent| parent.project.as_deref());
        let project = project.unwrap_or(&settings.project);
        let targets = settings::targets(settings, project, &redactor);
        Self {
            destinations: settings::destinations(&targets),
            custom: custom(settings, parent.as_ref(), &redactor),
            targets,
            parent,
            redactor,
            version: version.to_owned(),
            agent: format!("codex-tracing/{version}"),
            live: settings.common.live,
        }
    }

    fn target(&self, destination: &Destination) -> Option<&Target> {
        self.targets.get(destination.index)
    }
}

/// Custom metadata over that of a caller's baggage, redacted.
fn custom(
    settings: &LangSmithSettings,
    parent: Option<&Parent>,
    redactor: &Redactor,
) -> Map<String, Value> {
    let mut custom = parent
        .map(|parent| parent.metadata.clone())
        .unwrap_or_default();
    custom.extend(settings.common.metadata.clone());
    settings::redacted(custom, redactor)
}

impl Backend for LangSmith {
    fn name(&self) -> &'static str {
        "langsmith"
    }

    fn destinations(&self) -> &[Destination] {
        &self.destinations
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn map(&self, destination: &Destination, view: &View<'_>) -> Vec<Item> {
        let Some(target) = self.target(destination) else {
            return Vec::new();
        };
        let runs = map::runs(&Scene {
            view: *view,
            parent: self.parent.as_ref(),
            custom: &self.custom,
            redactor: &self.redactor,
            version: &self.version,
            live: self.live,
        });
        runs.into_iter()
            .map(|run| replica::bind(run, target, view.mode))
            .collect()
    }

    fn handshake(
        &self,
        destination: &Destination,
        facts: &Facts,
        now: Timestamp,
    ) -> Option<Request> {
        let target = self.target(destination)?;
        (!server::is_fresh(facts, now)).then(|| request::info(target, &self.agent))
    }

    fn learn(
        &self,
        _: &Destination,
        facts: &mut Facts,
        response: &Response,
        now: Timestamp,
    ) -> Verdict {
        let body = response.is_success().then_some(response.body.as_slice());
        server::learn(facts, body, now);
        Verdict::Acknowledged
    }

    fn probe(&self, destination: &Destination) -> Option<Request> {
        Some(request::nothing(self.target(destination)?, &self.agent))
    }

    fn limits(&self, _: &Destination, facts: &Facts) -> Limits {
        server::limits(facts)
    }

    fn request(&self, destination: &Destination, facts: &Facts, items: &[&Item]) -> Request {
        // An index out of range can only come from another backend's destination.
        let target = self.target(destination).or_else(|| self.targets.first());
        match target {
            Some(target) => request::runs(target, &self.agent, facts, items),
            None => request::nowhere(),
        }
    }

    fn settle(
        &self,
        destination: &Destination,
        facts: &mut Facts,
        items: &[&Item],
        step: usize,
        response: &Response,
    ) -> Step {
        let Some(target) = self.target(destination) else {
            return Step::Done(Verdict::Stop("unknown destination".to_owned()));
        };
        response::settle(target, &self.agent, facts, items, step, response)
    }

    fn sidecar(&self, rollout: &Path) -> Option<PathBuf> {
        Some(sidecar::sidecar(rollout))
    }

    fn sidecar_turns(&self, text: &str) -> BTreeSet<String> {
        sidecar::sidecar_turns(text)
    }
}
