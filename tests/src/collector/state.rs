//! What the collector remembers and how it is set.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::braintrust::Write;
use super::fault::Faults;
use super::langsmith::Operation;
use super::request::Request;

/// Everything behind the collector's lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) requests: Vec<Request>,
    pub(super) faults: Faults,
    pub(super) info: Value,
    pub(super) payload_max_bytes: Option<u64>,
    pub(super) keys: Option<BTreeSet<String>>,
    pub(super) duplicates_refuse_request: bool,
    /// LangSmith creates and updates that were taken, in order.
    pub(super) operations: Vec<Operation>,
    /// Braintrust rows that were taken, in order.
    pub(super) writes: Vec<Write>,
    /// Bodies uploaded through Braintrust's overflow path, by key.
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    /// Number of overflow keys given out.
    pub(super) overflows: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            requests: Vec::new(),
            faults: Faults::default(),
            info: json!({
                "version": "0.0.0-test",
                "batch_ingest_config": {
                    "use_multipart_endpoint": true,
                    "size_limit": 100,
                    "size_limit_bytes": 20_971_520,
                },
                "instance_flags": {
                    "gzip_body_enabled": true,
                    "zstd_compression_enabled": true,
                },
            }),
            payload_max_bytes: None,
            keys: None,
            duplicates_refuse_request: false,
            operations: Vec::new(),
            writes: Vec::new(),
            uploads: BTreeMap::new(),
            overflows: 0,
        }
    }
}
