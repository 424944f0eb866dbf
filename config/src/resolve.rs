//! Who wins, and which key may go where.

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::field::{Setting, fields};
use crate::gather::{Candidate, Gathered, Rejected};
use crate::layer::{Origin, Place, Standing};
use crate::settings::Replica;
use crate::value::{Checked, Key, ReplicaEntry, endpoint_host, is_exposed, same_endpoint};
use crate::warning::Problem;

/// A URL that a key may be sent to: where it is, who set it, and what it would be without the
/// project file.
///
/// The rule: a key goes to an endpoint if the endpoint was set by a layer that is trusted at least
/// as much as the key's, or if it has the scheme, host and port of the endpoint that would be
/// effective without the project file. There are two ranks of trust: what came with a repository,
/// and everything else. So among the user's, the team's and the environment's values any key goes
/// to any endpoint, a project's key goes anywhere, and a user's key does not go to a project's
/// endpoint. A key that a project file takes from the environment (`${VAR}`) is the user's.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    standing: Standing,
    without_project: Option<String>,
}

impl Endpoint {
    fn admits(&self, key: Standing) -> bool {
        self.standing >= key
            || self
                .without_project
                .as_ref()
                .is_some_and(|own| same_endpoint(own, &self.url))
    }

    pub(crate) fn is_projects(&self) -> bool {
        self.standing == Standing::Project
    }
}

impl Gathered {
    /// The effective candidate of a setting.
    pub(crate) fn top(&self, id: Setting) -> Option<&Candidate> {
        let winner = self.layers.winner(self.key(id)?)?;
        self.opinions.get(&id)?.candidates.get(winner.number)
    }

    fn key(&self, id: Setting) -> Option<&'static str> {
        let mut fields = fields(self.product).iter();
        fields.find(|field| field.id == id).map(|field| field.key)
    }

    pub(crate) fn switch(&self, id: Setting, slot: &mut bool) {
        if let Some(Checked::Switch(on)) = self.top(id).map(|top| &top.value) {
            *slot = *on;
        }
    }

    pub(crate) fn text(&self, id: Setting) -> Option<String> {
        match self.top(id).map(|top| &top.value) {
            Some(Checked::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    /// The layers' objects merged key by key, in the order in which the keys were met; a key of a
    /// higher layer replaces that of a lower.
    pub(crate) fn merged(&self, id: Setting) -> Map<String, Value> {
        let candidates = self
            .opinions
            .get(&id)
            .map_or(&[][..], |said| &said.candidates);
        let mut merged = Map::new();
        for member in candidates.iter().filter_map(members).flat_map(Map::keys) {
            let winner = self
                .key(id)
                .and_then(|key| self.layers.winner_of_member(key, member));
            let value = winner
                .and_then(|winner| candidates.get(winner.number))
                .and_then(|candidate| members(candidate)?.get(member));
            if let Some(value) = value {
                merged.insert(member.clone(), value.clone());
            }
        }
        merged
    }

    /// The effective URL of a setting. `fallback` is what it stands for when the user has none.
    pub(crate) fn endpoint(&self, id: Setting, fallback: Option<&str>) -> Option<Endpoint> {
        let candidates = &self.opinions.get(&id)?.candidates;
        let url = |candidate: &Candidate| match &candidate.value {
            Checked::Text(url) => Some(url.clone()),
            _ => None,
        };
        let top = self.top(id)?;
        let without_project = candidates
            .iter()
            .rev()
            .find(|candidate| candidate.origin.standing() == Standing::Own)
            .and_then(url)
            .or_else(|| fallback.map(str::to_owned));
        Some(Endpoint {
            url: url(top)?,
            standing: top.origin.standing(),
            without_project,
        })
    }

    /// Warns if what goes to the effective URL of a setting crosses a network in the clear. One that a
    /// higher layer hides harms nobody.
    pub(crate) fn warn_if_exposed(&mut self, id: Setting) {
        let (Some(top), Some(key)) = (self.top(id), self.key(id)) else {
            return;
        };
        let exposed = matches!(&top.value, Checked::Text(url) if is_exposed(url));
        let origin = top.origin.clone();
        let key = matches!(origin.place, Place::File(_)).then(|| key.to_owned());
        if exposed {
            self.warn(&origin, key, Problem::Unencrypted);
        }
    }

    /// The topmost key that may go to all of `endpoints`. Keys above it are rejected with the
    /// endpoint they may not go to; they stay out of `candidates`.
    pub(crate) fn bind_key(&mut self, endpoints: &[Endpoint]) -> Option<SecretString> {
        let opinions = self.opinions.get_mut(&Setting::ApiKey)?;
        let mut refused = Vec::new();
        while let Some(candidate) = opinions.candidates.last() {
            let standing = candidate.origin.standing();
            let Some(endpoint) = endpoints.iter().find(|endpoint| !endpoint.admits(standing))
            else {
                break;
            };
            refused.push((candidate.origin.clone(), endpoint_host(&endpoint.url)));
            opinions.candidates.pop();
        }
        for (origin, host) in &refused {
            opinions.rejected.push(Rejected {
                origin: origin.clone(),
                problem: Problem::KeyNotForHost { host: host.clone() },
            });
        }
        if !refused.is_empty() {
            self.merge();
        }
        let bound = match self.top(Setting::ApiKey).map(|top| &top.value) {
            Some(Checked::Key(key)) => Some(key.secret.clone()),
            _ => None,
        };
        // Where another key goes there, the refused ones are no trouble.
        if bound.is_none() {
            for (origin, host) in refused {
                let key = Some("api_key".to_owned());
                self.warn(&origin, key, Problem::KeyNotForHost { host });
            }
        }
        bound
    }

    /// The effective replicas, their URL and key fallen back to the settings'. Call it before
    /// [`Self::bind_key`]: a key that may not go to the primary endpoint may still go to a
    /// replica's.
    pub(crate) fn bind_replicas(&mut self, primary: &Endpoint) -> Vec<Replica> {
        let Some(Candidate { origin, value }) = self.top(Setting::Replicas).cloned() else {
            return Vec::new();
        };
        let Checked::Replicas(entries) = value else {
            return Vec::new();
        };
        entries
            .into_iter()
            .enumerate()
            .map(|(index, entry)| self.bind_replica(index, entry, &origin, primary))
            .collect()
    }

    fn bind_replica(
        &mut self,
        index: usize,
        entry: ReplicaEntry,
        origin: &Origin,
        primary: &Endpoint,
    ) -> Replica {
        if entry.api_url.as_deref().is_some_and(is_exposed) {
            let path = format!("replicas[{index}].api_url");
            self.warn(origin, Some(path), Problem::Unencrypted);
        }
        let endpoint = entry.api_url.map_or_else(
            || primary.clone(),
            |url| Endpoint {
                url,
                standing: origin.layer.standing(),
                without_project: primary.without_project.clone(),
            },
        );
        let key = match entry.api_key {
            Some(key) => self.own_replica_key(index, key, origin, &endpoint),
            None => self.fallback_key(index, origin, &endpoint),
        };
        Replica {
            api_url: endpoint.url,
            api_key: key,
            project: entry.project,
            workspace_id: entry.workspace_id,
            primary: entry.primary,
            updates: entry.updates,
        }
    }

    fn own_replica_key(
        &mut self,
        index: usize,
        key: Key,
        origin: &Origin,
        endpoint: &Endpoint,
    ) -> Option<SecretString> {
        let mut from = origin.clone();
        from.via.clone_from(&key.via);
        if endpoint.admits(from.standing()) {
            return Some(key.secret);
        }
        let host = endpoint_host(&endpoint.url);
        let path = format!("replicas[{index}].api_key");
        self.warn(&from, Some(path), Problem::KeyNotForHost { host });
        None
    }

    /// The topmost key of the settings that may go to a replica without a key of its own.
    fn fallback_key(
        &mut self,
        index: usize,
        origin: &Origin,
        endpoint: &Endpoint,
    ) -> Option<SecretString> {
        let candidates = self
            .opinions
            .get(&Setting::ApiKey)
            .map(|opinions| &opinions.candidates)?;
        let found = candidates.iter().rev().find_map(|candidate| {
            let Checked::Key(key) = &candidate.value else {
                return None;
            };
            let admitted = endpoint.admits(candidate.origin.standing());
            admitted.then(|| key.secret.clone())
        });
        if found.is_none() && !candidates.is_empty() {
            let host = endpoint_host(&endpoint.url);
            let path = format!("replicas[{index}]");
            self.warn(origin, Some(path), Problem::KeyNotForHost { host });
        }
        found
    }
}

fn members(candidate: &Candidate) -> Option<&Map<String, Value>> {
    match &candidate.value {
        Checked::Object(members) => Some(members),
        _ => None,
    }
}
