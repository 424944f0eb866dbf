//! Rows of one id within one request get one transaction id, and their order is undefined. So they
//! are folded here, as the server would have folded them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use codex_tracing_delivery::Item;
use serde_json::{Map, Value};

use crate::row::row_id;

/// Row bodies in order of their first appearance, one for each id.
pub(super) fn fold<'a>(items: &[&'a Item]) -> Vec<Cow<'a, [u8]>> {
    let distinct: BTreeSet<&str> = items.iter().map(|item| row_id(item)).collect();
    if distinct.len() == items.len() {
        return items
            .iter()
            .map(|item| Cow::Borrowed(item.body.as_slice()))
            .collect();
    }
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bodies: Vec<Cow<'a, [u8]>> = Vec::new();
    for item in items {
        let earlier = places.get(row_id(item));
        if let Some(earlier) = earlier.and_then(|at| bodies.get_mut(*at)) {
            *earlier = Cow::Owned(merged(earlier, &item.body));
        } else {
            places.insert(row_id(item), bodies.len());
            bodies.push(Cow::Borrowed(&item.body));
        }
    }
    bodies
}

/// `later` merged into `earlier`; `later` alone if either is no object.
fn merged(earlier: &[u8], later: &[u8]) -> Vec<u8> {
    let parse = |body: &[u8]| serde_json::from_slice::<Map<String, Value>>(body).ok();
    let (Some(mut into), Some(from)) = (parse(earlier), parse(later)) else {
        return later.to_vec();
    };
    merge(&mut into, from);
    serde_json::to_vec(&into).unwrap_or_else(|_| later.to_vec())
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (Some(place), value) => *place = value,
            (None, value) => {
                into.insert(key, value);
            }
        }
    }
}
