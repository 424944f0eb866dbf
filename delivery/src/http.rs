//! The one place that speaks HTTP, and the one place that exposes a secret.
//!
//! [`HttpClient`] turns a [`Request`] into a [`Response`] and nothing more: no retries, no
//! judgement. Every exchange is bounded in time (connect, silence, total) and in memory (answers
//! are cut at 1 MiB). Keys never travel further than the origin they were meant for: a redirect
//! is followed only within that origin and only where it keeps method and body. What a server
//! echoes of a secret header is blanked before anybody else sees the answer.
//!
//! Certificates are the system's (`SSL_CERT_FILE` and `SSL_CERT_DIR` count), proxies those of the
//! environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`).

mod answer;
mod error;
mod pieces;
mod retry_after;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use codex_tracing_config::endpoint_host;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use tokio::time::timeout;
use url::Url;

use crate::{Method, Request, Response, Upload};

use pieces::Pieces;

pub use error::HttpError;
pub use retry_after::parse_retry_after;

/// Bytes of an answer that are kept; the rest is not read.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// Redirects followed within one origin before it counts as a loop.
const REDIRECT_LIMIT: usize = 3;

/// How an [`HttpClient`] presents itself and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// `User-Agent`, such as `codex-tracing/0.1.0`.
    pub user_agent: String,
    /// Longest time until a connection stands, TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// Longest silence: until an answer begins, and between its pieces. Default 30 s.
    pub read_timeout: Duration,
    /// Longest exchange, from the first byte sent to the last received. Default 90 s.
    pub total_timeout: Duration,
    /// A line this slow, in bytes per second, still counts as working: a body may take the time
    /// it needs at this rate on top of both. Default 32 KiB/s.
    pub slowest_upload: u32,
}

impl HttpOptions {
    /// The default time-outs under a given `User-Agent`.
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(90),
            slowest_upload: 32 * 1024,
        }
    }

    /// The time `bytes` of a request body may take.
    fn upload_time(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        Duration::from_secs(bytes / u64::from(self.slowest_upload.max(1)))
    }
}

/// Answers requests: [`HttpClient`] over the network, anything else in tests.
pub trait Exchange: Send + Sync {
    /// Sends `request` once and gives the answer, whatever its status, or why there is none. A
    /// redirect (3xx) is no answer: it is followed or an error.
    fn exchange(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, HttpError>> + Send;

    /// The same, and `upload` hears how the body goes out, from who can tell.
    fn exchange_watched(
        &self,
        request: Request,
        upload: &Upload,
    ) -> impl Future<Output = Result<Response, HttpError>> + Send {
        let _ = upload;
        self.exchange(request)
    }
}

/// An HTTP client that keeps its connections. Clones share them.
#[derive(Clone)]
pub struct HttpClient {
    /// Set up once, by whichever clone comes first.
    client: Arc<OnceLock<Result<reqwest::Client, HttpError>>>,
    options: HttpOptions,
}

impl HttpClient {
    /// A client; reads the system's certificates and the proxy variables once.
    ///
    /// Fails with [`HttpError::Setup`] if the user agent is no header value or if no certificate
    /// of the system can be read.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        let client = Self::on_demand(options);
        client.client()?;
        Ok(client)
    }

    /// As [`HttpClient::new`], but nothing is read before the first request, which then gives the
    /// error: for who may find that there is nothing to send.
    #[must_use]
    pub fn on_demand(options: &HttpOptions) -> Self {
        Self {
            client: Arc::default(),
            options: options.clone(),
        }
    }

    fn client(&self) -> Result<&reqwest::Client, HttpError> {
        let client = self.client.get_or_init(|| set_up(&self.options));
        client.as_ref().map_err(HttpError::clone)
    }

    /// Sends `request` and follows redirects that stay within its origin.
    async fn send(&self, request: Request, upload: &Upload) -> Result<Response, HttpError> {
        let mut url = parse_url(&request.url)?;
        let host = endpoint_host(url.as_str());
        let headers = headers(&request, &host)?;
        let secrets = answer::secrets(&request.secret_headers);
        let upload_time = self.options.upload_time(request.body.len());
        let client = self.client()?;
        // Cheap to clone: the bytes are shared, not copied.
        let bytes = Bytes::from(request.body);
        for _ in 0..=REDIRECT_LIMIT {
            let body = Pieces {
                rest: bytes.clone(),
                upload: upload.clone(),
                slowest: self.options.slowest_upload,
            };
            let outgoing = client
                .request(method(request.method), url.clone())
                .headers(headers.clone())
                .timeout(self.options.total_timeout + upload_time)
                .body(reqwest::Body::wrap(body))
                .build()
                .map_err(|error| HttpError::from_reqwest(&host, &error))?;
            // Not the client's own read time-out: that one runs while a large body is sent.
            let begun = timeout(
                self.options.read_timeout + upload_time,
                client.execute(outgoing),
            );
            let answer = begun
                .await
                .map_err(|_| HttpError::Timeout { host: host.clone() })?
                .map_err(|error| HttpError::from_reqwest(&host, &error))?;
            if !answer.status().is_redirection() {
                return self.read(answer, host, &secrets).await;
            }
            let target = redirect_target(&url, &answer);
            let keeps_method =
                request.method == Method::Get || matches!(answer.status().as_u16(), 307 | 308);
            match target {
                Some(next) if keeps_method && next.origin() == url.origin() => url = next,
                target => {
                    return Err(HttpError::Redirected {
                        host,
                        status: answer.status().as_u16(),
                        target: target
                            .as_ref()
                            .map_or_else(|| "nowhere".to_owned(), origin_of),
                    });
                }
            }
        }
        Err(HttpError::RedirectLoop { host })
    }

    async fn read(
        &self,
        answer: reqwest::Response,
        host: String,
        secrets: &[Vec<u8>],
    ) -> Result<Response, HttpError> {
        let status = answer.status().as_u16();
        let retry_after = retry_after::of_headers(answer.headers(), Timestamp::now());
        let content_type = answer.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.map(ToOwned::to_owned);
        let silence = self.options.read_timeout;
        let mut body = answer::read_capped(answer, host, BODY_LIMIT, silence).await?;
        answer::blank(&mut body, secrets);
        Ok(Response {
            status,
            retry_after,
            content_type,
            body,
        })
    }
}

impl Exchange for HttpClient {
    async fn exchange(&self, request: Request) -> Result<Response, HttpError> {
        self.send(request, &Upload::default()).await
    }

    async fn exchange_watched(
        &self,
        request: Request,
        upload: &Upload,
    ) -> Result<Response, HttpError> {
        self.send(request, upload).await
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The inner client knows proxies, and those may carry passwords.
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

fn set_up(options: &HttpOptions) -> Result<reqwest::Client, HttpError> {
    reqwest::Client::builder()
        .user_agent(options.user_agent.as_str())
        .use_rustls_tls()
        .connect_timeout(options.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .pool_idle_timeout(Duration::from_mins(1))
        .pool_max_idle_per_host(2)
        .build()
        .map_err(|error| HttpError::setup(&error))
}

fn parse_url(text: &str) -> Result<Url, HttpError> {
    let url = Url::parse(text).map_err(|error| HttpError::InvalidUrl {
        cause: error.to_string(),
    })?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(HttpError::InvalidUrl {
            cause: "it must begin with http:// or https:// and name a host".to_owned(),
        });
    }
    Ok(url)
}

/// Scheme, host and explicit port.
fn origin_of(url: &Url) -> String {
    format!("{}://{}", url.scheme(), endpoint_host(url.as_str()))
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
        Method::Patch => reqwest::Method::PATCH,
    }
}

fn headers(request: &Request, host: &str) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.append(header_name(name, host)?, header_value(name, value, host)?);
    }
    for (name, secret) in &request.secret_headers {
        let mut value = header_value(name, secret.expose_secret(), host)?;
        // Kept out of debug output and of HTTP/2's compression tables.
        value.set_sensitive(true);
        headers.append(header_name(name, host)?, value);
    }
    Ok(headers)
}

fn header_name(name: &'static str, host: &str) -> Result<HeaderName, HttpError> {
    HeaderName::try_from(name).map_err(|_| invalid_header(name, host))
}

fn header_value(name: &'static str, value: &str, host: &str) -> Result<HeaderValue, HttpError> {
    HeaderValue::from_str(value).map_err(|_| invalid_header(name, host))
}

fn invalid_header(name: &'static str, host: &str) -> HttpError {
    HttpError::InvalidHeader {
        host: host.to_owned(),
        name,
    }
}

fn redirect_target(url: &Url, answer: &reqwest::Response) -> Option<Url> {
    let location = answer.headers().get(LOCATION)?.to_str().ok()?;
    url.join(location).ok()
}
