//! What Codex writes, as it writes it: one line of a rollout in one pass, borrowed from the line
//! wherever JSON allows it.
//!
//! Nothing here judges. Wrongly typed scalars read as absent, unknown fields are passed over, big
//! values that most records never need stay unread ([`serde_json::value::RawValue`]), and
//! encrypted content is never kept. What a record means is [`crate::record`]'s business.

mod envelope;
mod event;
mod fields;
mod item;
mod scalar;

pub(crate) use envelope::{Payload, parse, payload_of};
pub(crate) use event::Event;
pub(crate) use fields::{
    Attribution, Compacted, Fields, SessionMeta, Tokens, UsageRecord, raw_string, raw_value,
};
pub(crate) use item::{Body, Flex, ItemWire, Part};
pub(crate) use scalar::Str;
