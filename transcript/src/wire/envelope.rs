//! The line around every record: `timestamp`, `ordinal`, `type`, `payload`, `metadata`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::scalar::Str;
use super::{Compacted, Event, ItemWire, SessionMeta, UsageRecord};

/// One line of a rollout.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) timestamp: Str<'a>,
    pub(crate) payload: Payload<'a>,
}

/// The payload by record type.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    SessionMeta(Box<SessionMeta<'a>>),
    TurnContext(Map<String, Value>),
    Event(Event<'a>),
    Item(Box<ItemWire<'a>>),
    Compacted(Box<Compacted<'a>>),
    Usage(Box<UsageRecord<'a>>),
    /// A known record type without content we need.
    Ambient,
    /// A record type this version does not know.
    Unknown(String),
}

/// Reads one line in one pass. The payload is read by its type while the line is parsed, since
/// Codex writes `type` before `payload`; in any other order it is kept aside and read afterwards.
pub(crate) fn parse(line: &str) -> Result<Line<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let parsed = deserializer.deserialize_map(LineVisitor)?;
    deserializer.end()?;
    Ok(parsed)
}

/// The payload of a line as a plain value: for the few kinds that are kept whole.
pub(crate) fn payload_of(line: &str) -> Option<Value> {
    #[derive(Deserialize)]
    struct Whole {
        payload: Value,
    }
    let whole: Whole = serde_json::from_str(line).ok()?;
    Some(whole.payload)
}

/// The keys of a line.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Timestamp,
    Type,
    Payload,
    #[serde(other)]
    Other,
}

struct LineVisitor;

impl<'de> Visitor<'de> for LineVisitor {
    type Value = Line<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rollout record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut timestamp = None;
        let mut kind: Option<Str<'de>> = None;
        let mut payload = None;
        let mut early: Option<&'de RawValue> = None;
        while let Some(key) = map.next_key()? {
            match (key, &kind) {
                (Key::Timestamp, _) => timestamp = Some(map.next_value()?),
                (Key::Type, _) => kind = Some(map.next_value()?),
                (Key::Payload, Some(kind)) => {
                    payload = Some(map.next_value_seed(PayloadSeed(kind.as_str()))?);
                }
                (Key::Payload, None) => early = Some(map.next_value()?),
                (Key::Other, _) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        let payload = match (payload, early) {
            (Some(payload), _) => payload,
            (None, Some(raw)) => {
                let mut deserializer = serde_json::Deserializer::from_str(raw.get());
                PayloadSeed(kind.as_str())
                    .deserialize(&mut deserializer)
                    .map_err(de::Error::custom)?
            }
            (None, None) => return Err(A::Error::missing_field("payload")),
        };
        let timestamp = timestamp.ok_or_else(|| A::Error::missing_field("timestamp"))?;
        Ok(Line { timestamp, payload })
    }
}

struct PayloadSeed<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for PayloadSeed<'_> {
    type Value = Payload<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        Ok(match self.0 {
            "response_item" => Payload::Item(Deserialize::deserialize(deserializer)?),
            "event_msg" => Payload::Event(Deserialize::deserialize(deserializer)?),
            "token_usage_record" => Payload::Usage(Deserialize::deserialize(deserializer)?),
            "turn_context" => Payload::TurnContext(Deserialize::deserialize(deserializer)?),
            "compacted" => Payload::Compacted(Deserialize::deserialize(deserializer)?),
            "session_meta" => Payload::SessionMeta(Deserialize::deserialize(deserializer)?),
            "world_state" | "inter_agent_communication_metadata" => {
                IgnoredAny::deserialize(deserializer)?;
                Payload::Ambient
            }
            kind => {
                IgnoredAny::deserialize(deserializer)?;
                Payload::Unknown(kind.to_owned())
            }
        })
    }
}
