//! A recording server on loopback that speaks the ingest protocols of LangSmith and Braintrust.
//!
//! It is as strict as the services are (framing, mandatory fields, `dotted_order` rules: 400 with
//! the reason), answers duplicates with 409, keeps every request, can be told to fail in the ways a
//! network fails ([`Fault`]), and shows what the services would show: LangSmith runs with their
//! patches merged ([`Collector::runs`]) and Braintrust rows folded by id ([`Collector::rows`]).
//!
//! It never forwards anything.

mod body;
mod braintrust;
mod dotted_order;
mod fault;
mod folded_rows;
mod folded_runs;
mod interval;
mod langsmith;
mod merge;
mod multipart;
mod request;
mod serve;
mod state;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::loopback::Loopback;
pub use fault::Fault;
pub use folded_rows::{Row, Rows};
pub use folded_runs::{Run, Runs};
pub use multipart::Part;
pub use request::{Content, Request};
use state::State;

/// The running collector. Dropping it closes the port.
#[derive(Debug)]
pub struct Collector {
    server: Loopback,
    state: Arc<Mutex<State>>,
}

impl Collector {
    /// Starts on a free port.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(0)
    }

    /// Starts on a given port: an endpoint that comes back.
    pub fn start_on(port: u16) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Loopback::serve(port, |base| serve::router(base, shared))?;
        Ok(Self { server, state })
    }

    /// `http://127.0.0.1:<port>`: LangSmith's endpoint, and Braintrust's app and API address.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The port, for [`Collector::start_on`] after this one is gone.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What `GET /info` answers; by default multipart, 100 runs, 20 MiB, zstd and gzip on.
    pub fn set_info(&self, info: Value) {
        self.lock().info = info;
    }

    /// What `GET /version` gives as `logs3_payload_max_bytes`; a number forces larger bodies through
    /// the overflow path. None by default.
    pub fn set_payload_limit(&self, bytes: Option<u64>) {
        self.lock().payload_max_bytes = bytes;
    }

    /// From now on only these keys are accepted; any other gets 401. By default any key will do.
    pub fn accept_only_keys(&self, keys: &[&str]) {
        self.lock().keys = Some(keys.iter().map(|&key| key.to_owned()).collect());
    }

    /// On a duplicate LangSmith create, refuse the whole request with 409 instead of taking the rest
    /// of it (the service's behaviour here is not documented; a client must bear both).
    pub fn refuse_requests_with_duplicates(&self) {
        self.lock().duplicates_refuse_request = true;
    }

    /// From now on requests whose path begins with `path` meet `fault`, as often as they come.
    pub fn inject(&self, path: &str, fault: Fault) {
        self.lock().faults.add(path, fault, None);
    }

    /// As [`Collector::inject`], for the next `times` requests.
    pub fn inject_times(&self, path: &str, fault: Fault, times: usize) {
        self.lock().faults.add(path, fault, Some(times));
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Every request so far, in order of arrival, also those that met a fault.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// LangSmith's view: runs by id, patches merged in.
    pub fn runs(&self) -> Runs {
        Runs::fold(&self.lock().operations)
    }

    /// Braintrust's view: rows folded by id.
    pub fn rows(&self) -> Rows {
        Rows::fold(&self.lock().writes)
    }

    /// Waits until `enough` holds for this collector; false if `limit` passed before.
    pub fn wait_until(&self, limit: Duration, enough: impl Fn(&Self) -> bool) -> bool {
        let until = Instant::now() + limit;
        loop {
            if enough(self) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
