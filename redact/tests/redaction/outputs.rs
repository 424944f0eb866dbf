//! Realistic tool outputs with planted secrets. Also used by the test of both backends.

use std::collections::BTreeSet;

use super::secrets::{fragments, secret};

/// A tool output and what must not be left of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) planted: Vec<String>,
}

/// All outputs, and the kinds of secrets in them.
pub(crate) fn cases() -> (Vec<Case>, BTreeSet<String>) {
    let files = [
        include_str!("../data/outputs/shell.txt"),
        include_str!("../data/outputs/config.txt"),
        include_str!("../data/outputs/http.txt"),
        include_str!("../data/outputs/keys.txt"),
        include_str!("../data/outputs/tools.txt"),
    ];
    let mut kinds = BTreeSet::new();
    let mut cases = Vec::new();
    for block in files.iter().flat_map(|file| file.split("=== ").skip(1)) {
        let (name, template) = block.split_once('\n').unwrap();
        cases.push(fill(name, template, &mut kinds));
    }
    (cases, kinds)
}

fn fill(name: &str, template: &str, kinds: &mut BTreeSet<String>) -> Case {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut planted = Vec::new();
    for part in parts {
        let (kind, rest) = part.split_once("}}").unwrap();
        let secret = secret(kind).unwrap_or_else(|| panic!("{name}: no kind {kind}"));
        planted.extend(fragments(kind, &secret));
        text.push_str(&secret);
        text.push_str(rest);
        kinds.insert(kind.to_owned());
    }
    assert!(!planted.is_empty(), "{name} has no secret");
    Case {
        name: name.to_owned(),
        text,
        planted,
    }
}
