//! `Debug` that shows no contents which may hold secrets: of objects the keys, of rules and
//! headers how many there are. Keys are `SecretString`s, which never show theirs.

use std::fmt::{Debug, Formatter, Result};

use serde_json::{Map, Value};

use crate::value::mask_keys;

use super::{Common, ParentHeaders, Replica};

/// The keys of an object.
struct Keys<'a>(&'a Map<String, Value>);

impl Debug for Keys<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let keys = self.0.keys().map(|key| mask_keys(key));
        f.debug_set().entries(keys).finish()
    }
}

impl Debug for Common {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Common")
            .field("enabled", &self.enabled)
            .field("metadata", &Keys(&self.metadata))
            .field("redact", &self.redact)
            .field("redact_extra_rules", &self.redact_extra_rules.len())
            .field("flush_on_turn_end", &self.flush_on_turn_end)
            .field("max_field_bytes", &self.max_field_bytes)
            .field("images", &self.images)
            .field("default_muted", &self.default_muted)
            .field("live", &self.live)
            .finish()
    }
}

impl Debug for Replica {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Replica")
            .field("api_url", &self.api_url)
            .field("api_key", &self.api_key)
            .field("project", &self.project)
            .field("workspace_id", &self.workspace_id)
            .field("primary", &self.primary)
            .field("updates", &Keys(&self.updates))
            .finish()
    }
}

impl Debug for ParentHeaders {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ParentHeaders")
            .field("langsmith_trace", &self.langsmith_trace)
            .field("baggage", &self.baggage.as_ref().map(String::len))
            .finish()
    }
}
