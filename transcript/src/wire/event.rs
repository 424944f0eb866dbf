//! Events and their items by type: Codex writes `type` first, so what needs no fields costs none.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fields::{CountInfo, Fields};
use super::scalar::Str;

/// [`Fields`], read by their type.
#[derive(Debug, Default)]
pub(crate) struct Event<'a>(pub(crate) Box<Fields<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Event<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor).map(Event)
    }
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct CountOnly {
    info: Option<Box<CountInfo>>,
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Box<Fields<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some(key) = map.next_key::<Str<'de>>()? else {
            return Ok(Box::default());
        };
        if key.as_str() != "type" {
            return in_any_order(key, map);
        }
        let kind: Str<'de> = map.next_value()?;
        let mut fields: Box<Fields<'de>> = match kind.as_str() {
            // Their content comes again as an item of the conversation.
            "AgentMessage" | "Reasoning" | "agent_message" | "agent_reasoning" => {
                IgnoredAny.visit_map(map)?;
                Box::default()
            }
            "token_count" => {
                let count = CountOnly::deserialize(MapAccessDeserializer::new(map))?;
                let mut fields: Box<Fields<'de>> = Box::default();
                fields.info = count.info;
                fields
            }
            _ => Deserialize::deserialize(MapAccessDeserializer::new(map))?,
        };
        fields.kind = kind;
        Ok(fields)
    }
}

/// The slower way, for files that something else than Codex has written again.
fn in_any_order<'de, A: MapAccess<'de>>(
    first: Str<'de>,
    mut map: A,
) -> Result<Box<Fields<'de>>, A::Error> {
    let mut entries: Vec<(String, &'de RawValue)> = Vec::new();
    entries.push((first.0.into_owned(), map.next_value()?));
    while let Some(key) = map.next_key::<Str<'de>>()? {
        entries.push((key.0.into_owned(), map.next_value()?));
    }
    let entries = MapDeserializer::<_, serde_json::Error>::new(entries.into_iter());
    Deserialize::deserialize(entries).map_err(A::Error::custom)
}
