//! What responses mean.

use codex_tracing_delivery::{Facts, Item, Request, Response, Step, Verdict, classify_status};

use crate::request;
use crate::run::Operation;
use crate::server;
use crate::settings::Target;

/// Body of a 403 for keys that belong to an organisation.
const NEEDS_WORKSPACE: &str = "org_scoped_key_requires_workspace";

/// What the answer to a batch means.
///
/// 404 says that the server is too old for multipart: the same runs go to `/runs/batch`, and so
/// does all that follows. 409 says that a run was created before, see [`conflict`].
pub(crate) fn settle(
    target: &Target,
    agent: &str,
    facts: &mut Facts,
    items: &[&Item],
    step: usize,
    response: &Response,
) -> Step {
    match response.status {
        404 if server::has_multipart(facts) => {
            server::forget_multipart(facts);
            Step::Next(request::runs(target, agent, facts, items))
        }
        409 => {
            // The answer to the creation is the first, or the second after a 404.
            let creations = if server::has_multipart(facts) { 1 } else { 2 };
            conflict(items, step < creations, || {
                request::updates(target, agent, facts, items)
            })
        }
        403 if contains(&response.body, NEEDS_WORKSPACE) => Step::Done(Verdict::Stop(
            "HTTP 403: the key belongs to an organisation: set the workspace id \
             (LANGSMITH_WORKSPACE_ID)"
                .to_owned(),
        )),
        // No ingest at all: what waits is not refused, the URL is wrong.
        status @ (404 | 405) => Step::Done(Verdict::Stop(format!(
            "HTTP {status}: no LangSmith API at {}: check api_url",
            target.api_url
        ))),
        _ => Step::Done(classify_status(response)),
    }
}

/// A run can be created once and updated once; ids are deterministic, so a conflict means that
/// the run arrived earlier. That is success.
///
/// Nobody says what a server does with the other runs of such a request, so it is halved until
/// the runs that it had stand alone; [`Verdict::Split`] would do that too, but also keep later
/// requests small. A single run is then sent as an update: this brings what an earlier version of
/// it lacked (a turn delivered before its last record was written), and changes nothing otherwise.
/// Halves of live runs are left out: an opening says nothing new, a closing already is the update.
fn conflict(items: &[&Item], is_creation: bool, update: impl FnOnce() -> Request) -> Step {
    match items {
        [item] if is_creation && Operation::of_item(item) == Operation::Whole => {
            Step::Next(update())
        }
        [_] => Step::Done(Verdict::Acknowledged),
        _ => Step::Done(Verdict::Reject(
            "HTTP 409: some of these runs were received before".to_owned(),
        )),
    }
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len())
        .any(|window| window == text.as_bytes())
}
