//! The language of a scenario's `model` list: which entry answers a request.
//!
//! An entry is one of
//! - a list of items: answers the next request that no conditional entry takes, once;
//! - `{"match": S, "items": […]}`: answers a request whose input contains `S` (a list: all of them);
//!   `"last": S` looks at the last input item only, `"not": S` must not occur (a list: none of them),
//!   `"times": n` (default 1) and `"any": true` say how often; `"vars"` adds names to the scenario's;
//! - `{"repeat": n, "items": […]}`: `n` plain entries, `{i}` in their strings replaced by 0, 1, ….
//!
//! Conditional entries are tried first, in order. `"vars": {"name": "regex"}` names texts of the
//! request: `${name}` in a string of the answer is the last match (its last group that took part),
//! `${name[k]}` the k-th distinct one.

use std::collections::VecDeque;
use std::io;

use anyhow::{Context as _, bail};
use regex::Regex;
use serde::Serialize as _;
use serde_json::ser::Formatter;
use serde_json::{Map, Value, json};

/// The script, with what is already used up.
#[derive(Debug)]
pub(super) struct Script {
    rules: Vec<Rule>,
    plain: VecDeque<Vec<Value>>,
    vars: Vec<(String, Regex)>,
}

#[derive(Debug)]
struct Rule {
    all: Vec<String>,
    last: Vec<String>,
    none: Vec<String>,
    /// Answers left; `None` is any number.
    left: Option<u64>,
    vars: Vec<(String, Regex)>,
    items: Vec<Value>,
}

impl Script {
    /// Reads a scenario (`model` and `vars` of an object) or a bare list of entries.
    pub(super) fn parse(scenario: &Value) -> anyhow::Result<Self> {
        let entries = scenario.get("model").unwrap_or(scenario);
        let entries = entries
            .as_array()
            .context("a scenario's `model` must be a list of entries")?;
        let mut script = Self {
            rules: Vec::new(),
            plain: VecDeque::new(),
            vars: variables(scenario.get("vars"))?,
        };
        for (position, entry) in entries.iter().enumerate() {
            script
                .add(entry)
                .with_context(|| format!("entry {position} of the scenario's `model`"))?;
        }
        Ok(script)
    }

    fn add(&mut self, entry: &Value) -> anyhow::Result<()> {
        match entry {
            Value::Array(items) => self.plain.push_back(items.clone()),
            Value::Object(entry) => {
                let items = entry.get("items").and_then(Value::as_array);
                let items = items.context("`items` must be a list")?;
                if let Some(times) = entry.get("repeat").and_then(Value::as_u64) {
                    for turn in 0..times {
                        let number = |text: &str| text.replace("{i}", &turn.to_string());
                        self.plain.push_back(replaced(items, &number)?);
                    }
                } else {
                    self.rules.push(Rule::parse(entry, items)?);
                }
            }
            other => bail!("neither a list of items nor an object: {other}"),
        }
        Ok(())
    }

    /// The items that answer a request with this body, variables filled in.
    pub(super) fn pick(&mut self, request: &Value) -> Vec<Value> {
        let empty = json!([]);
        let input = request.get("input").unwrap_or(&empty);
        let text = spaced(input);
        let last = input.as_array().and_then(|items| items.last());
        let last = last.map_or_else(|| text.clone(), spaced);
        for rule in &mut self.rules {
            if rule.takes(&text, &last) {
                if let Some(left) = &mut rule.left {
                    *left -= 1;
                }
                let vars = self.vars.iter().chain(&rule.vars);
                return filled(&rule.items, vars, &text);
            }
        }
        match self.plain.pop_front() {
            Some(items) => filled(&items, self.vars.iter(), &text),
            None => vec![json!({"type": "message", "text": "done (default)"})],
        }
    }
}

impl Rule {
    fn parse(entry: &Map<String, Value>, items: &[Value]) -> anyhow::Result<Self> {
        let any = entry.get("any").and_then(Value::as_bool).unwrap_or(false);
        let times = entry.get("times").and_then(Value::as_u64).unwrap_or(1);
        Ok(Self {
            all: needles(entry.get("match")),
            last: needles(entry.get("last")),
            none: needles(entry.get("not")),
            left: (!any).then_some(times),
            vars: variables(entry.get("vars"))?,
            items: items.to_vec(),
        })
    }

    fn takes(&self, text: &str, last: &str) -> bool {
        self.left != Some(0)
            && self.all.iter().all(|needle| text.contains(needle))
            && self.last.iter().all(|needle| last.contains(needle))
            && !self.none.iter().any(|needle| text.contains(needle))
    }
}

/// The strings to look for, as they stand inside JSON text.
fn needles(condition: Option<&Value>) -> Vec<String> {
    let listed = match condition {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    let inside = |value: &Value| {
        let text = spaced(value);
        let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        inner.map(str::to_owned).unwrap_or(text)
    };
    listed.into_iter().map(inside).collect()
}

fn variables(vars: Option<&Value>) -> anyhow::Result<Vec<(String, Regex)>> {
    let Some(vars) = vars.and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    let compile = |(name, pattern): (&String, &Value)| {
        let pattern = pattern.as_str().context("a variable must be a string")?;
        let regex = Regex::new(pattern).with_context(|| format!("variable `{name}`"))?;
        Ok((name.clone(), regex))
    };
    vars.iter().map(compile).collect()
}

/// Items with their text rewritten as a whole, so that a replacement may stand anywhere.
fn replaced(items: &[Value], rewrite: &dyn Fn(&str) -> String) -> anyhow::Result<Vec<Value>> {
    let text = serde_json::to_string(items)?;
    Ok(serde_json::from_str(&rewrite(&text))?)
}

fn filled<'a>(
    items: &[Value],
    vars: impl Iterator<Item = &'a (String, Regex)>,
    request: &str,
) -> Vec<Value> {
    let request = request.replace("\\\"", "\"");
    let mut values = Vec::new();
    for (name, regex) in vars {
        let mut seen: Vec<&str> = Vec::new();
        for found in regex.captures_iter(&request) {
            let group = found.iter().flatten().last().map_or("", |m| m.as_str());
            if !seen.contains(&group) {
                seen.push(group);
            }
        }
        for (position, value) in seen.iter().enumerate() {
            values.push((format!("${{{name}[{position}]}}"), (*value).to_owned()));
        }
        if let Some(value) = seen.last() {
            values.push((format!("${{{name}}}"), (*value).to_owned()));
        }
    }
    let fill = |text: &str| {
        values.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    };
    replaced(items, &fill).unwrap_or_else(|_| items.to_vec())
}

/// JSON with a space after each comma and colon: the form that scenario patterns are written for.
fn spaced(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    // A `Value` always serialises, and into memory nothing can fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        w.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        w.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }
}
