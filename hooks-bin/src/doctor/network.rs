//! Does each destination take our key? One harmless request each.

use std::time::Duration;

use codex_tracing_config::{Context, Environment};
use codex_tracing_delivery::{
    Destination, Exchange, HttpClient, HttpError, HttpOptions, Response, Verdict, classify_status,
};

use super::finding::Finding;
use crate::backends::{Opened, VERSION};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks every destination that has a key.
pub(crate) fn examine(opened: &Opened, context: &Context) -> Vec<Finding> {
    let Ok(runtime) = crate::command::runtime() else {
        return Vec::new();
    };
    let client = match HttpClient::new(&HttpOptions::new(format!("codex-tracing/{VERSION}"))) {
        Ok(client) => client,
        Err(error) => return vec![unreachable(&error, context).about(opened.product.name())],
    };
    let destinations = opened.backend.destinations();
    destinations
        .iter()
        .filter(|destination| destination.has_key)
        .filter_map(|destination| runtime.block_on(ask(opened, &client, destination, context)))
        .map(|finding| finding.about(opened.product.name()))
        .collect()
}

async fn ask(
    opened: &Opened,
    client: &HttpClient,
    destination: &Destination,
    context: &Context,
) -> Option<Finding> {
    let request = opened.backend.probe(destination)?;
    let label = &destination.label;
    Some(
        match tokio::time::timeout(PATIENCE, client.exchange(request)).await {
            Ok(Ok(answer)) => judge(label, &answer),
            Ok(Err(error)) => unreachable(&error, context),
            Err(_) => {
                let host = label.clone();
                unreachable(&HttpError::Timeout { host }, context)
            }
        },
    )
}

fn judge(label: &str, answer: &Response) -> Finding {
    match classify_status(answer) {
        _ if answer.is_page() && answer.status < 500 => Finding::problem(
            "endpoint-wrong",
            format!(
                "{label} answers HTTP {} with a web page: this is not the API",
                answer.status
            ),
            "check the address, with its path prefix on self-hosted installations; a proxy or a \
             login page may stand before it",
        ),
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

/// Each way not to be reached has its own cure.
fn unreachable(error: &HttpError, context: &Context) -> Finding {
    let cause = error.to_string();
    let id = match error {
        HttpError::Setup { .. } | HttpError::Tls { .. } => {
            return Finding::problem(
                "endpoint-tls",
                cause,
                "if a company proxy or a private authority signs its certificate, name that \
                 authority's file in SSL_CERT_FILE; if it is your own server, renew its certificate",
            );
        }
        HttpError::NotTls { .. } => {
            let cure = "begin the address with http:// if that is what the server speaks there";
            return Finding::problem("endpoint-tls", cause, cure);
        }
        HttpError::InvalidHeader { .. } => {
            let cure = "copy the key again, without line breaks";
            return Finding::problem("key-malformed", cause, cure);
        }
        HttpError::InvalidUrl { .. }
        | HttpError::Redirected { .. }
        | HttpError::RedirectLoop { .. } => {
            return Finding::problem(
                "endpoint-wrong",
                cause,
                "set the final address of the API, with its path prefix on self-hosted installations",
            );
        }
        HttpError::Timeout { .. } => "endpoint-slow",
        HttpError::Connect { .. } | HttpError::Interrupted { .. } => "endpoint-unreachable",
    };
    let proxies = proxies(&context.env);
    if proxies.is_empty() {
        let cure = "check the address and the network; behind a proxy set HTTPS_PROXY";
        return Finding::problem(id, cause, cure);
    }
    Finding::problem(
        "endpoint-proxy",
        format!("{cause} (by way of the proxy that {proxies} names)"),
        format!("check {proxies}, or name the host in NO_PROXY"),
    )
}

/// The names of the variables in force that name a proxy.
fn proxies(env: &Environment) -> String {
    let names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    let lower = names.map(str::to_lowercase);
    let names = names.into_iter().chain(lower.iter().map(String::as_str));
    let set: Vec<&str> = names.filter(|name| env.get(name).is_some()).collect();
    set.join(", ")
}
