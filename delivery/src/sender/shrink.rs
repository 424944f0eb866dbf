//! Making an item fit: its biggest contents give way to markers, its identity stays.

use serde_json::Value;

use crate::Item;

/// Texts shorter than this (in JSON) are not worth a marker.
const SHORTEST_TEXT: usize = 256;

/// Makes `item` at most `max_bytes` long, or gives `None` if its identity alone is longer (or its
/// body is no JSON object).
///
/// First the biggest texts are replaced, biggest first, each by a marker that says how many bytes
/// it had; if that is not enough, whole lists and objects are, biggest first. Numbers, keys, ids,
/// names, types, times, usage and the keys of metadata stay, unless nothing else helps. Pure.
pub fn shrink(item: &Item, max_bytes: usize) -> Option<Item> {
    if item.body.len() <= max_bytes {
        return Some(item.clone());
    }
    let mut body: Value = serde_json::from_slice(&item.body).ok()?;
    if !body.is_object() {
        return None;
    }
    let mut excess = encoded_len(&body).saturating_sub(max_bytes);
    for pass in [Pass::Texts, Pass::Nested, Pass::Fields] {
        if excess == 0 {
            break;
        }
        excess = cut(&mut body, pass, excess);
    }
    let body = serde_json::to_vec(&body).ok()?;
    (body.len() <= max_bytes).then(|| Item {
        id: item.id.clone(),
        body,
        known: item.known,
    })
}

/// Objects whose keys are kept as long as possible.
const KEPT: [&str; 4] = ["/metadata", "/metrics", "/usage", "/usage_metadata"];

/// What may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Long texts anywhere.
    Texts,
    /// Lists and objects from the third level down.
    Nested,
    /// Whatever the item holds directly, but for its identity.
    Fields,
}

/// Something that can be replaced: where it is and how long it is in JSON.
struct Candidate {
    pointer: String,
    len: usize,
}

/// Replaces candidates, biggest first, until `excess` bytes are gone; gives what is left of it.
fn cut(body: &mut Value, pass: Pass, mut excess: usize) -> usize {
    let mut candidates = Vec::new();
    collect(body, pass, &mut String::new(), &mut candidates);
    // Stable: among equals the earlier one goes first.
    candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.len));
    for Candidate { pointer, len } in candidates {
        if excess == 0 {
            break;
        }
        // Gone already if something around it was replaced.
        let Some(place) = body.pointer_mut(&pointer) else {
            continue;
        };
        let marker = Value::String(marker(len));
        let gain = len.saturating_sub(encoded_len(&marker));
        if gain > 0 {
            *place = marker;
            excess = excess.saturating_sub(gain);
        }
    }
    excess
}

fn collect(value: &Value, pass: Pass, at: &mut String, out: &mut Vec<Candidate>) {
    if pass.may_replace(value, at) {
        let len = encoded_len(value);
        if len >= SHORTEST_TEXT {
            out.push(Candidate {
                pointer: at.clone(),
                len,
            });
        }
    }
    let before = at.len();
    let mut descend = |step: &str, inner: &Value| {
        at.push('/');
        at.push_str(step);
        collect(inner, pass, at, out);
        at.truncate(before);
    };
    match value {
        Value::Array(list) => {
            for (index, inner) in list.iter().enumerate() {
                descend(&index.to_string(), inner);
            }
        }
        Value::Object(fields) => {
            for (key, inner) in fields {
                if before > 0 || !is_identity(key) {
                    descend(&key.replace('~', "~0").replace('/', "~1"), inner);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Pass {
    /// Whether this pass replaces `value`, found at the JSON pointer `at`.
    fn may_replace(self, value: &Value, at: &str) -> bool {
        let depth = at.matches('/').count();
        match self {
            Self::Texts => value.is_string(),
            Self::Nested => {
                depth >= 2 && !value.is_string() && !KEPT.iter().any(|k| at.ends_with(k))
            }
            Self::Fields => depth == 1,
        }
    }
}

/// Top-level fields that say what and when an item is, where it hangs and what it cost.
fn is_identity(key: &str) -> bool {
    const WHOLE: [&str; 7] = ["id", "name", "type", "created", "metrics", "usage", "tags"];
    const ENDS: [&str; 9] = [
        "_id",
        "_ids",
        "_order",
        "_time",
        "_at",
        "_name",
        "_type",
        "_parents",
        "_attributes",
    ];
    WHOLE.contains(&key) || ENDS.iter().any(|end| key.ends_with(end))
}

fn marker(len: usize) -> String {
    format!("[codex-tracing notice: {len} bytes left out because the item was too large.]")
}

/// Length of `value` as JSON without spaces.
fn encoded_len(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn item(body: &Value) -> Item {
        Item {
            id: "i".to_owned(),
            body: serde_json::to_vec(body).unwrap(),
            known: false,
        }
    }

    fn shrunk(body: &Value, max_bytes: usize) -> Option<Value> {
        let small = shrink(&item(body), max_bytes)?;
        assert!(small.body.len() <= max_bytes);
        assert_eq!(small.id, "i");
        Some(serde_json::from_slice(&small.body).unwrap())
    }

    #[test]
    fn what_fits_is_left_alone() {
        let body = json!({"id": "a", "inputs": "x".repeat(1000)});
        assert_eq!(shrunk(&body, 2000), Some(body));
    }

    #[test]
    fn the_biggest_text_goes_first_and_the_marker_tells_its_size() {
        let body = json!({"id": "a", "inputs": {"small": "s".repeat(400), "big": "b".repeat(5000)},
            "metrics": {"tokens": 7}});
        let small = shrunk(&body, 1000).unwrap();
        assert_eq!(small["inputs"]["small"], body["inputs"]["small"]);
        assert_eq!(
            small["inputs"]["big"],
            "[codex-tracing notice: 5002 bytes left out because the item was too large.]"
        );
        assert_eq!(small["metrics"], body["metrics"]);
    }

    #[test]
    fn ids_times_usage_and_metadata_keys_stay() {
        let order = "20260102T030405000000Z018f.".repeat(20);
        let body = json!({"id": "a", "dotted_order": order, "start_time": "t", "name": "n",
            "extra": {"metadata": {"usage_metadata": {"input_tokens": 5}, "team": "x".repeat(900)}},
            "inputs": {"messages": vec![json!({"role": "user", "n": 1}); 500]},
            "error": "e".repeat(3000)});
        let small = shrunk(&body, 1500).unwrap();
        for key in ["id", "dotted_order", "start_time", "name"] {
            assert_eq!(small[key], body[key]);
        }
        let metadata = &small["extra"]["metadata"];
        assert_eq!(metadata["usage_metadata"]["input_tokens"], 5);
        assert!(metadata["team"].as_str().unwrap().contains("902 bytes"));
        assert!(small["inputs"]["messages"].is_string());
    }

    #[test]
    fn many_small_things_give_way_as_a_whole() {
        let body = json!({"id": "a", "input": vec!["word"; 10_000]});
        let small = shrunk(&body, 300).unwrap();
        assert!(small["input"].as_str().unwrap().contains("70001 bytes"));
    }

    #[test]
    fn an_identity_that_is_too_long_cannot_be_shrunk() {
        assert_eq!(
            shrunk(&json!({"id": "a".repeat(500), "input": "b"}), 300),
            None
        );
        let list = Item {
            id: "i".to_owned(),
            body: serde_json::to_vec(&vec![1; 500]).unwrap(),
            known: false,
        };
        assert_eq!(shrink(&list, 10), None);
        let broken = Item {
            id: "i".to_owned(),
            body: vec![b'{'; 500],
            known: false,
        };
        assert_eq!(shrink(&broken, 10), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\~/\u{e9}]{0,600}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z~/_]{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_shrunk_item_is_valid_json_with_the_same_id(content in any_json(), max in 400_usize..3000) {
            let body = json!({"id": "id-1", "trace_id": "t-1", "input": content});
            let small = shrunk(&body, max).expect("identity is short");
            prop_assert_eq!(&small["id"], "id-1");
            prop_assert_eq!(&small["trace_id"], "t-1");
            let keys = |value: &Value| value.as_object().unwrap().len();
            prop_assert_eq!(keys(&small), keys(&body));
        }
    }
}
