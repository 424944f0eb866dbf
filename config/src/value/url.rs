//! Addresses of services, normalised.

use url::{Host, Url};

use super::holds_key;

/// A URL as the products take it: trimmed, one pair of quotes and trailing slashes dropped,
/// `https://` in front if no scheme is given. `None` if it is not one, or if it carries a user,
/// password, query, fragment or key: paths are appended to it, and it is shown to people.
pub(crate) fn normalise(written: &str) -> Option<String> {
    let text = unquote(written.trim()).trim();
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let text = match text.split_once(':') {
        Some((_, rest)) if rest.starts_with("//") => text.to_owned(),
        // A slip such as `https:/host`, not a host of that name.
        Some((scheme, _)) if scheme.to_ascii_lowercase().starts_with("http") => return None,
        _ if !is_host_like(text) => return None,
        _ => format!("https://{text}"),
    };
    let text = text.trim_end_matches('/').to_owned();
    let url = Url::parse(&text).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    (plain && web && !holds_key(&text)).then_some(text)
}

/// Whether a text without scheme may be meant as a host: anything else, such as a key in the wrong
/// place, would be shown as one.
fn is_host_like(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    host.contains(['.', ':']) || host == "localhost"
}

/// The text without one pair of quotes around it, which some tools take for part of a variable.
pub(super) fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// Whether both URLs name the same scheme, host and port, so that a key for one is a key for the
/// other.
pub(crate) fn same_endpoint(a: &str, b: &str) -> bool {
    match (Url::parse(a), Url::parse(b)) {
        (Ok(a), Ok(b)) => a.origin() == b.origin(),
        _ => false,
    }
}

/// Host and explicit port of a URL: what may be told of it to people.
pub fn endpoint_host(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return "an endpoint".to_owned();
    };
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "an endpoint".to_owned(),
    }
}

/// Whether what is sent there crosses a network in the clear.
pub(crate) fn is_exposed(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !local
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_normalised_or_refused() {
        for (written, normal) in [
            ("https://a.example", Some("https://a.example")),
            (" https://a.example/ ", Some("https://a.example")),
            ("\"https://a.example/api/\"", Some("https://a.example/api")),
            ("'a.example'", Some("https://a.example")),
            ("api.braintrust.dev", Some("https://api.braintrust.dev")),
            ("localhost:8080", Some("https://localhost:8080")),
            ("http://localhost:8080", Some("http://localhost:8080")),
            ("HTTPS://A.example", Some("HTTPS://A.example")),
            ("ftp://a.example", None),
            ("file:///etc/passwd", None),
            ("https://user:pw@a.example", None),
            ("https://user@a.example", None),
            ("https://a.example?key=x", None),
            ("https://a.example#x", None),
            ("https://a.example/lsv2_pt_0123456789abcdef", None),
            ("https://lsv2_pt_0123456789abcdef.example", None),
            ("https://", None),
            ("localhost/api", Some("https://localhost/api")),
            ("lsv2_pt_0123456789abcdef", None),
            ("sk-0123456789abcdef", None),
            ("https:/a.example", None),
            ("http:a.example", None),
            ("not a url", None),
            ("", None),
            ("\"\"", None),
            ("/", None),
        ] {
            assert_eq!(normalise(written).as_deref(), normal, "{written}");
        }
    }

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        for (a, b, same) in [
            ("https://a.example", "https://a.example/api", true),
            ("https://a.example", "https://A.EXAMPLE:443", true),
            ("https://a.example", "http://a.example", false),
            ("https://a.example", "https://a.example:8443", false),
            ("https://a.example", "https://a.example.evil.example", false),
            ("nonsense", "nonsense", false),
        ] {
            assert_eq!(same_endpoint(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn plain_http_is_exposed_unless_it_stays_on_this_machine() {
        for (url, exposed) in [
            ("https://a.example", false),
            ("http://a.example", true),
            ("http://127.0.0.1:1", false),
            ("http://[::1]:1", false),
            ("http://localhost:1", false),
        ] {
            assert_eq!(is_exposed(url), exposed, "{url}");
        }
    }
}
