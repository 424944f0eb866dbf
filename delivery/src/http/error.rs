//! Why there is no answer, in words for people; never with a key or a URL's secrets.

use std::error::Error;
use std::io;

/// Why there is no answer. Names the host, never a URL, a header value or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The client could not be set up.
    #[error("cannot set up HTTPS: {cause}; check SSL_CERT_FILE and the system's certificates")]
    Setup {
        /// What failed.
        cause: String,
    },
    /// The URL in the settings is none.
    #[error("the configured URL is not usable: {cause}")]
    InvalidUrl {
        /// What is wrong with it.
        cause: String,
    },
    /// A header value has characters that HTTP does not allow.
    #[error(
        "the value of `{name}` for {host} has characters not allowed in a header; check the key for line breaks"
    )]
    InvalidHeader {
        /// Host that was to be asked.
        host: String,
        /// The header.
        name: &'static str,
    },
    /// No connection.
    #[error("cannot connect to {host}: {cause}")]
    Connect {
        /// Host and port.
        host: String,
        /// The system's words.
        cause: String,
    },
    /// A connection, but no trust.
    #[error(
        "no secure connection to {host}: {cause}; for a private certificate authority set SSL_CERT_FILE"
    )]
    Tls {
        /// Host and port.
        host: String,
        /// What TLS said.
        cause: String,
    },
    /// A connection to something that speaks no TLS.
    #[error(
        "{host} does not speak TLS: its address may begin with http:// (without either, https:// is taken)"
    )]
    NotTls {
        /// Host and port.
        host: String,
    },
    /// No connection or no complete answer in time.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Host and port.
        host: String,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {host} broke: {cause}")]
    Interrupted {
        /// Host and port.
        host: String,
        /// What broke it.
        cause: String,
    },
    /// An answer that points elsewhere; keys are not carried there.
    #[error(
        "{host} answers with a redirect (HTTP {status}) to {target}, which is not followed; configure the final address"
    )]
    Redirected {
        /// Host and port that was asked.
        host: String,
        /// Status.
        status: u16,
        /// Scheme, host and port it points to.
        target: String,
    },
    /// Redirects without end.
    #[error("{host} redirects in a circle")]
    RedirectLoop {
        /// Host and port.
        host: String,
    },
}

/// What rustls says of a first byte that begins no record.
const NO_RECORD: &str = "InvalidContentType";

impl HttpError {
    /// Whether trying again can help without somebody changing the settings.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Tls { .. }
            | Self::NotTls { .. }
            | Self::Timeout { .. }
            | Self::Interrupted { .. } => true,
            Self::Setup { .. }
            | Self::InvalidUrl { .. }
            | Self::InvalidHeader { .. }
            | Self::Redirected { .. }
            | Self::RedirectLoop { .. } => false,
        }
    }

    pub(super) fn setup(error: &reqwest::Error) -> Self {
        Self::Setup {
            cause: root_cause(error),
        }
    }

    pub(super) fn from_reqwest(host: &str, error: &reqwest::Error) -> Self {
        let host = host.to_owned();
        if error.is_timeout() {
            return Self::Timeout { host };
        }
        let cause = root_cause(error);
        if error.is_connect() {
            return match is_tls(error) {
                true if cause.contains(NO_RECORD) => Self::NotTls { host },
                true => Self::Tls { host, cause },
                false => Self::Connect { host, cause },
            };
        }
        if error.is_builder() {
            return Self::InvalidUrl { cause };
        }
        Self::Interrupted { host, cause }
    }
}

/// The innermost cause: the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut cause = None;
    while let Some(inner) = source {
        cause = Some(inner.to_string());
        source = inner.source();
    }
    cause.unwrap_or_else(|| "the request failed".to_owned())
}

/// rustls errors come wrapped as invalid data; nothing else does while connecting.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(inner) = source {
        if inner
            .downcast_ref::<io::Error>()
            .is_some_and(is_invalid_data)
        {
            return true;
        }
        source = inner.source();
    }
    false
}

/// An I/O error inside an I/O error is no `source` of it.
fn is_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(is_invalid_data)
}
