//! `response_item` payloads.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::scalar::{Present, Str};

/// The fields of every kind of response item, flat: the keys may come in any order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ItemWire<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Str<'a>,
    #[serde(borrow)]
    pub(crate) id: Str<'a>,
    #[serde(borrow)]
    pub(crate) role: Str<'a>,
    #[serde(borrow)]
    pub(crate) content: Body<'a>,
    #[serde(borrow)]
    pub(crate) summary: Body<'a>,
    pub(crate) encrypted_content: Present,
    #[serde(borrow)]
    pub(crate) phase: Str<'a>,
    #[serde(borrow)]
    pub(crate) call_id: Str<'a>,
    #[serde(borrow)]
    pub(crate) name: Str<'a>,
    #[serde(borrow)]
    pub(crate) namespace: Str<'a>,
    #[serde(borrow)]
    pub(crate) arguments: Flex<'a>,
    #[serde(borrow)]
    pub(crate) input: Flex<'a>,
    #[serde(borrow)]
    pub(crate) action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) output: Body<'a>,
    #[serde(borrow)]
    pub(crate) status: Str<'a>,
    #[serde(borrow)]
    pub(crate) author: Str<'a>,
    #[serde(borrow)]
    pub(crate) recipient: Str<'a>,
    /// `tool_search_output` has its answer here.
    #[serde(borrow)]
    pub(crate) tools: Option<&'a RawValue>,
}

/// Content that Codex writes as a text, a list of parts, or a structured value.
#[derive(Debug, Default)]
pub(crate) enum Body<'a> {
    #[default]
    Missing,
    Text(Str<'a>),
    Parts(Vec<Part<'a>>),
    Json(Value),
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a list of parts or a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Body::Text(Str(text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Body::Text(Str(text.to_owned().into())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Body::Text(Str(text.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = seq.next_element()? {
            parts.push(part);
        }
        Ok(Body::Parts(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Body::Json)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Body::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Body::Json(value.into()))
    }
}

/// One part of a content list.
#[derive(Debug, Default)]
pub(crate) struct Part<'a> {
    pub(crate) kind: Str<'a>,
    pub(crate) text: Option<Str<'a>>,
    /// `image_url`, or the `path` of a local image.
    pub(crate) image: Option<Str<'a>>,
    /// All other fields but encrypted and internal ones.
    pub(crate) rest: Map<String, Value>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a content part")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut part = Part::default();
        while let Some(key) = map.next_key::<Str<'de>>()? {
            match key.as_str() {
                "type" => part.kind = map.next_value()?,
                "text" => part.text = Some(map.next_value()?),
                "image_url" | "path" | "url" => part.image = Some(map.next_value()?),
                "encrypted_content" | "text_elements" => {
                    map.next_value::<IgnoredAny>()?;
                }
                key if key.starts_with("internal_") => {
                    map.next_value::<IgnoredAny>()?;
                }
                key => {
                    let key = key.to_owned();
                    part.rest.insert(key, map.next_value()?);
                }
            }
        }
        Ok(part)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Part {
            kind: Str("text".into()),
            text: Some(Str(text.to_owned().into())),
            ..Part::default()
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(seq)?;
        Ok(Part::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Part::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Part::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Part::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Part::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Part::default())
    }
}

/// Arguments: nearly always a text, sometimes a structured value.
#[derive(Debug, Default)]
pub(crate) enum Flex<'a> {
    #[default]
    Missing,
    Text(Str<'a>),
    Json(Value),
}

impl<'de: 'a, 'a> Deserialize<'de> for Flex<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlexVisitor)
    }
}

struct FlexVisitor;

impl<'de> Visitor<'de> for FlexVisitor {
    type Value = Flex<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Flex::Text(Str(text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Flex::Text(Str(text.to_owned().into())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Flex::Text(Str(text.into())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Flex::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Flex::Json(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Flex::Json(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Flex::Json(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Flex::Json(value.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Flex::Json)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(Flex::Json)
    }
}
