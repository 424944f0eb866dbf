//! One value checked against what its setting takes.

mod key;
mod lists;
mod url;

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::context::Context;
use crate::field::{Field, Kind, to_snake};
use crate::settings::{ImagePolicy, ParentHeaders, RedactRule};
use crate::warning::{Found, Problem, shown_key};

pub(crate) use key::{
    Key, begins_key, holds_key, is_reference, mask, mask_keys, masked, masked_members,
};
pub(crate) use lists::ReplicaEntry;
pub use url::endpoint_host;
pub(crate) use url::{is_exposed, same_endpoint};

/// A usable value of a setting.
#[derive(Clone)]
pub(crate) enum Checked {
    Switch(bool),
    Text(String),
    Key(Key),
    Object(Map<String, Value>),
    Replicas(Vec<ReplicaEntry>),
    Rules(Vec<RedactRule>),
    Headers(ParentHeaders),
    /// 0: no limit.
    Bytes(usize),
    Images(ImagePolicy),
    Path(PathBuf),
    NoMeaning,
}

/// How a value is read.
pub(crate) struct Reading<'a> {
    pub(crate) ctx: &'a Context,
    /// Whether `${VAR}` in keys is read from the environment: in files, not in variables.
    pub(crate) expand: bool,
    /// What was found wrong inside a value that is usable apart from it: path below the value
    /// (such as `[1].apiUrl`) and problem.
    pub(crate) inner: Vec<(String, Problem)>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(ctx: &'a Context, expand: bool) -> Self {
        Self {
            ctx,
            expand,
            inner: Vec::new(),
        }
    }

    fn note(&mut self, path: String, problem: Problem) {
        self.inner.push((path, problem));
    }
}

/// The text of a variable, not blank.
pub(crate) fn check_text(
    field: &Field,
    text: &str,
    reading: &mut Reading<'_>,
) -> Result<Checked, Problem> {
    if !field.kind.is_json() {
        return check(field, &Value::from(text), reading);
    }
    let value: Value = serde_json::from_str(text).map_err(|_| Problem::NotJson {
        expected: field.kind.expected(),
    })?;
    check(field, &value, reading)
}

/// A value of a file (or one read from a variable).
pub(crate) fn check(
    field: &Field,
    value: &Value,
    reading: &mut Reading<'_>,
) -> Result<Checked, Problem> {
    let unexpected = || Problem::Unexpected {
        expected: field.kind.expected(),
        found: match (field.kind, value) {
            // The form is right, so it is the contents.
            (Kind::Replicas | Kind::Rules, Value::Array(_))
            | (Kind::Replicas | Kind::Headers, Value::Object(_)) => Found::Unusable,
            _ => Found::of(value),
        },
    };
    match field.kind {
        Kind::Switch => switch(value).map(Checked::Switch).ok_or_else(unexpected),
        Kind::Text => text(value).map(Checked::Text).ok_or_else(unexpected),
        Kind::Key => key::check(value.as_str().ok_or_else(unexpected)?, reading).map(Checked::Key),
        Kind::Url => {
            let url = value.as_str().and_then(url::normalise);
            url.map(Checked::Text).ok_or_else(unexpected)
        }
        Kind::Object => value
            .as_object()
            .cloned()
            .map(Checked::Object)
            .ok_or_else(unexpected),
        Kind::Replicas => lists::replicas(value, reading)
            .map(Checked::Replicas)
            .ok_or_else(unexpected),
        Kind::Rules => lists::rules(value, reading)
            .map(Checked::Rules)
            .ok_or_else(unexpected),
        Kind::Headers => headers(value, reading)
            .map(Checked::Headers)
            .ok_or_else(unexpected),
        Kind::Bytes => bytes(value).map(Checked::Bytes).ok_or_else(unexpected),
        Kind::Images => images(value).map(Checked::Images).ok_or_else(unexpected),
        Kind::Path => text(value)
            .map(|path| Checked::Path(reading.ctx.cwd.join(path)))
            .ok_or_else(unexpected),
        Kind::NoMeaning(_) => Ok(Checked::NoMeaning),
    }
}

/// Words that mean true or false, in any case.
pub(crate) fn switch_word(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::String(word) => switch_word(word),
        Value::Number(number) => switch_word(&number.to_string()),
        _ => None,
    }
}

/// Text that is not blank and holds no key in the wrong place.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty() && !holds_key(text)).then(|| text.to_owned())
}

fn bytes(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        Value::String(digits) => digits.trim().parse().ok(),
        _ => None,
    }
}

fn images(value: &Value) -> Option<ImagePolicy> {
    match value.as_str()?.trim().to_ascii_lowercase().as_str() {
        "keep" => Some(ImagePolicy::Keep),
        "reference" => Some(ImagePolicy::Reference),
        "omit" => Some(ImagePolicy::Omit),
        _ => None,
    }
}

fn headers(value: &Value, reading: &mut Reading<'_>) -> Option<ParentHeaders> {
    let mut trace = None;
    let mut baggage = None;
    for (key, value) in value.as_object()? {
        let slot = match to_snake(key).as_str() {
            "langsmith_trace" => &mut trace,
            "baggage" => &mut baggage,
            _ => {
                reading.note(
                    format!(".{}", shown_key(key)),
                    Problem::UnknownKey { nearest: None },
                );
                continue;
            }
        };
        *slot = text(value);
        if slot.is_none() && !value.is_null() {
            reading.note(
                format!(".{}", shown_key(key)),
                Problem::Unexpected {
                    expected: Kind::Text.expected(),
                    found: Found::of(value),
                },
            );
        }
    }
    Some(ParentHeaders {
        langsmith_trace: trace?,
        baggage,
    })
}
