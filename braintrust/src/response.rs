//! What responses mean.

use codex_tracing_delivery::{Facts, Item, Response, Step, Verdict, classify_status};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::request::{self, fact};
use crate::settings::Target;

/// What a batch's next response answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Rows,
    Version,
    Announce,
    Upload,
    Commit,
}

impl Stage {
    const ALL: [Self; 5] = [
        Self::Rows,
        Self::Version,
        Self::Announce,
        Self::Upload,
        Self::Commit,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Version => "version",
            Self::Announce => "announce",
            Self::Upload => "upload",
            Self::Commit => "commit",
        }
    }
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    org_info: Vec<Organisation>,
}

#[derive(Deserialize)]
struct Organisation {
    name: String,
    api_url: Option<String>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

/// The longest name, id or URL that is taken from a server: they are kept and shown.
const LONGEST: usize = 1024;

/// A server's name for something, fit for a status line.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Whether a project is known already.
pub(crate) fn has_project(facts: &Facts) -> bool {
    facts.values.contains_key(fact::PROJECT_ID)
}

/// Takes the answer to a login: organisation and data plane.
pub(crate) fn learn_login(
    target: &Target,
    facts: &mut Facts,
    response: &Response,
    now: Timestamp,
) -> Verdict {
    if !response.is_success() {
        return handshake_verdict(response);
    }
    let Ok(login) = serde_json::from_slice::<Login>(&response.body) else {
        return Verdict::Retry(response.retry_after);
    };
    let found = match &target.org_name {
        Some(name) => login.org_info.iter().find(|org| org.name == *name),
        None => login.org_info.first(),
    };
    let Some(org) = found else {
        return Verdict::Stop(unknown_organisation(target, &login));
    };
    let api = org
        .api_url
        .as_deref()
        .map(|url| url.trim().trim_end_matches('/'))
        .filter(|url| !url.is_empty())
        .map(str::to_owned)
        .or_else(|| target.default_api_url());
    let usable =
        |api: &String| is_safe(target, api) && api.len() <= LONGEST && org.name.len() <= LONGEST;
    let Some(api) = api.filter(usable) else {
        return Verdict::Stop(format!(
            "{} names no usable API URL for organisation `{}`: set BRAINTRUST_API_URL",
            target.app_url,
            shown(&org.name)
        ));
    };
    let values = &mut facts.values;
    values.insert(fact::API_URL.to_owned(), api);
    values.insert(fact::ORG_NAME.to_owned(), org.name.clone());
    facts.learned_at = Some(now);
    Verdict::Acknowledged
}

/// Takes the answer to a project registration.
pub(crate) fn learn_project(facts: &mut Facts, response: &Response, now: Timestamp) -> Verdict {
    if !response.is_success() {
        if matches!(response.status, 401 | 403) {
            forget(facts);
        }
        return handshake_verdict(response);
    }
    match serde_json::from_slice::<Project>(&response.body) {
        Ok(project) if (1..=LONGEST).contains(&project.id.len()) => {
            facts.values.insert(fact::PROJECT_ID.to_owned(), project.id);
            facts.learned_at = Some(now);
            Verdict::Acknowledged
        }
        _ => Verdict::Retry(response.retry_after),
    }
}

/// What the first request of a batch is.
pub(crate) fn begins_with_upload(facts: &Facts, bytes: usize) -> bool {
    limit(facts).is_some_and(|limit| limit > 0 && bytes > limit)
}

/// The payload limit, once asked for; 0 if the server did not say.
pub(crate) fn limit(facts: &Facts) -> Option<usize> {
    facts.values.get(fact::PAYLOAD_LIMIT)?.parse().ok()
}

/// What a response to a batch means, and what to send next.
pub(crate) fn settle(
    target: &Target,
    facts: &mut Facts,
    items: &[&Item],
    step: usize,
    response: &Response,
) -> Step {
    let stage = stage(facts, items, step);
    facts.passing.remove(fact::STAGE);
    match stage {
        Stage::Rows if response.status == 413 => too_large(target, facts, items),
        Stage::Rows | Stage::Commit => {
            facts.passing.remove(fact::OVERFLOW_KEY);
            Step::Done(delivered(facts, response))
        }
        Stage::Version => {
            facts.values.insert(
                fact::PAYLOAD_LIMIT.to_owned(),
                payload_limit(response).to_string(),
            );
            too_large(target, facts, items)
        }
        Stage::Announce => announced(target, facts, items, response),
        Stage::Upload => uploaded(target, facts, response),
    }
}

/// A batch was refused for its size: ask for the limit, go the way of large bodies, or split.
fn too_large(target: &Target, facts: &mut Facts, items: &[&Item]) -> Step {
    match limit(facts) {
        None => next(facts, Stage::Version, request::version(target, facts)),
        Some(0) => Step::Done(Verdict::Split),
        Some(_) => {
            let size = request::rows(facts, items).len();
            let request = request::announce(target, facts, items, size);
            next(facts, Stage::Announce, request)
        }
    }
}

fn announced(target: &Target, facts: &mut Facts, items: &[&Item], response: &Response) -> Step {
    if !response.is_success() {
        return Step::Done(without_upload(facts, response));
    }
    let Ok(slot) = serde_json::from_slice::<request::Slot>(&response.body) else {
        return Step::Done(Verdict::Split);
    };
    let Some(upload) = request::upload(&slot, request::rows(facts, items)) else {
        return Step::Done(Verdict::Split);
    };
    if !is_safe(target, &upload.url) || slot.key.len() > LONGEST {
        return Step::Done(Verdict::Split);
    }
    facts
        .passing
        .insert(fact::OVERFLOW_KEY.to_owned(), slot.key);
    next(facts, Stage::Upload, upload)
}

fn uploaded(target: &Target, facts: &mut Facts, response: &Response) -> Step {
    let key = facts.passing.remove(fact::OVERFLOW_KEY);
    match (response.is_success(), key) {
        (true, Some(key)) => {
            let commit = request::commit(target, facts, &key);
            next(facts, Stage::Commit, commit)
        }
        (true, None) => Step::Done(Verdict::Retry(None)),
        // The storage's refusal says nothing about the key or the rows: smaller batches may pass.
        (false, _) => Step::Done(match classify_status(response) {
            Verdict::Retry(after) => Verdict::Retry(after),
            _ => Verdict::Split,
        }),
    }
}

/// An upload that cannot even begin leaves smaller batches.
fn without_upload(facts: &mut Facts, response: &Response) -> Verdict {
    match classify_status(response) {
        Verdict::Reject(_) | Verdict::Acknowledged => Verdict::Split,
        Verdict::Stop(words) => {
            forget(facts);
            Verdict::Stop(words)
        }
        verdict => verdict,
    }
}

/// The verdict on rows. A server that does not know the project is asked for it once more: it may
/// have been deleted since its id was learned.
fn delivered(facts: &mut Facts, response: &Response) -> Verdict {
    if response.is_success() {
        facts.passing.remove(fact::ASKED_AGAIN);
        return Verdict::Acknowledged;
    }
    match (response.status, classify_status(response)) {
        (404, Verdict::Reject(words)) => {
            let again = facts.passing.contains_key(fact::ASKED_AGAIN);
            forget(facts);
            if again {
                return Verdict::Stop(words);
            }
            facts
                .passing
                .insert(fact::ASKED_AGAIN.to_owned(), "true".to_owned());
            Verdict::Retry(None)
        }
        // The plan's limit is no fault of the rows.
        (402, Verdict::Reject(words)) => Verdict::Stop(words),
        (_, Verdict::Stop(words)) => {
            forget(facts);
            Verdict::Stop(words)
        }
        (_, verdict) => verdict,
    }
}

/// No rows are at stake in a handshake: what a server will never take stops the destination.
fn handshake_verdict(response: &Response) -> Verdict {
    match classify_status(response) {
        Verdict::Reject(words) => Verdict::Stop(words),
        Verdict::Split => Verdict::Retry(response.retry_after),
        verdict => verdict,
    }
}

/// A key that does not fit may be replaced by one of another organisation: nothing learned with
/// the old one is kept.
fn forget(facts: &mut Facts) {
    facts.values.clear();
    facts.learned_at = None;
}

fn next(facts: &mut Facts, stage: Stage, request: codex_tracing_delivery::Request) -> Step {
    let word = stage.word().to_owned();
    facts.passing.insert(fact::STAGE.to_owned(), word);
    Step::Next(request)
}

/// What `response` number `step` of the batch answers. A stage left behind by a batch that broke off
/// is not believed at the beginning of another.
fn stage(facts: &Facts, items: &[&Item], step: usize) -> Stage {
    let kept = facts.passing.get(fact::STAGE);
    let kept = kept.and_then(|word| Stage::ALL.into_iter().find(|stage| stage.word() == word));
    match kept {
        Some(stage) if step > 0 => stage,
        // The body is put together again only where its size matters.
        _ if limit(facts).is_some_and(|limit| limit > 0)
            && begins_with_upload(facts, request::rows(facts, items).len()) =>
        {
            Stage::Announce
        }
        _ => Stage::Rows,
    }
}

/// `logs3_payload_max_bytes`; 0 where absent, null or unreadable.
fn payload_limit(response: &Response) -> u64 {
    let value: Option<Value> = serde_json::from_slice(&response.body).ok();
    value
        .filter(|_| response.is_success())
        .and_then(|value| value.get("logs3_payload_max_bytes")?.as_u64())
        .unwrap_or(0)
}

/// Whether a URL that a server named may be followed: never from TLS to plain text.
fn is_safe(target: &Target, url: &str) -> bool {
    let begins = target.api_url.as_deref().unwrap_or(&target.app_url);
    url.starts_with("https://") || (url.starts_with("http://") && begins.starts_with("http://"))
}

fn unknown_organisation(target: &Target, login: &Login) -> String {
    let names = login.org_info.iter().take(10).map(|org| shown(&org.name));
    let names: Vec<String> = names.collect();
    match (&target.org_name, names.is_empty()) {
        (_, true) => "the API key belongs to no organisation".to_owned(),
        (Some(name), false) => format!(
            "the API key does not belong to organisation `{name}`, but to: {}",
            names.join(", ")
        ),
        (None, false) => "the API key's organisation is unknown".to_owned(),
    }
}
