//! Does each destination take our key? One harmless request each.

use std::time::Duration;

use codex_tracing_delivery::{
    Destination, Exchange, HttpClient, HttpError, HttpOptions, Response, Verdict, classify_status,
};

use super::finding::Finding;
use crate::backends::{Opened, VERSION};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks every destination that has a key.
pub(crate) fn examine(opened: &Opened) -> Vec<Finding> {
    let Ok(runtime) = crate::command::runtime() else {
        return Vec::new();
    };
    let client = match HttpClient::new(&HttpOptions::new(format!("codex-tracing/{VERSION}"))) {
        Ok(client) => client,
        Err(error) => return vec![unreachable(&error).about(opened.name)],
    };
    let destinations = opened.backend.destinations();
    destinations
        .iter()
        .filter(|destination| destination.has_key)
        .filter_map(|destination| runtime.block_on(ask(opened, &client, destination)))
        .map(|finding| finding.about(opened.name))
        .collect()
}

async fn ask(opened: &Opened, client: &HttpClient, destination: &Destination) -> Option<Finding> {
    let request = opened.backend.probe(destination)?;
    let label = &destination.label;
    Some(
        match tokio::time::timeout(PATIENCE, client.exchange(request)).await {
            Ok(Ok(answer)) => judge(label, &answer),
            Ok(Err(error)) => unreachable(&error),
            Err(_) => Finding::problem(
                "endpoint-slow",
                format!("{label} did not answer within {} s", PATIENCE.as_secs()),
                "check the address, the network and proxy settings (HTTPS_PROXY, NO_PROXY)",
            ),
        },
    )
}

fn judge(label: &str, answer: &Response) -> Finding {
    match classify_status(answer) {
        Verdict::Acknowledged => {
            Finding::ok("endpoint", format!("{label} answers and takes the key"))
        }
        Verdict::Stop(words) => Finding::problem(
            "key-refused",
            format!("{label} refuses the key: {words}"),
            "check that the key is whole, belongs to this host, and to this workspace or \
             organisation; then run `codex-tracing flush`",
        ),
        Verdict::Retry(_) => Finding::warning(
            "endpoint-busy",
            format!("{label} answers HTTP {}", answer.status),
            "nothing to do: deliveries are tried again",
        ),
        // The key was taken, the empty request was not: good enough.
        Verdict::Reject(_) if matches!(answer.status, 400 | 422) => {
            Finding::ok("endpoint", format!("{label} answers and takes the key"))
        }
        Verdict::Reject(words) => Finding::problem(
            "endpoint-wrong",
            format!("{label} does not answer like the service it should be: {words}"),
            "check the address, with its path prefix on self-hosted installations",
        ),
        Verdict::Split => Finding::ok("endpoint", format!("{label} answers")),
    }
}

fn unreachable(error: &HttpError) -> Finding {
    Finding::problem(
        "endpoint-unreachable",
        error.to_string(),
        "check the address, the network, proxy settings (HTTPS_PROXY, NO_PROXY) and, for a private \
         certificate authority, SSL_CERT_FILE",
    )
}
