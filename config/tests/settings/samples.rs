//! For every setting two good values, a bad one, and what the good ones amount to.

use codex_tracing_config::Product;
use serde_json::{Value, json};

/// One setting with values to try.
pub(crate) struct Sample {
    pub(crate) key: &'static str,
    pub(crate) var: &'static str,
    /// As written in a file, and as found in the effective settings.
    pub(crate) good: [(Value, Value); 2],
    /// Refused in a file.
    pub(crate) bad: Value,
    /// Refused in a variable; `None` if any text will do.
    pub(crate) bad_text: Option<&'static str>,
}

/// A text that stands in every bad value, to be looked for in what is told.
pub(crate) const PLANTED: &str = "lsv2_pt_plantedplantedplanted";

const PLANTED_JSON: &str = "[\"lsv2_pt_plantedplantedplanted\"";

fn sample(
    key: &'static str,
    var: &'static str,
    good: [Value; 2],
    bad_text: Option<&'static str>,
) -> Sample {
    let [a, b] = good;
    Sample {
        key,
        var,
        good: [(a.clone(), a), (b.clone(), b)],
        bad: json!([[PLANTED]]),
        bad_text,
    }
}

/// Every setting of a product.
pub(crate) fn samples(product: Product) -> Vec<Sample> {
    let mut all = common(product);
    match product {
        Product::LangSmith => all.extend(langsmith()),
        _ => all.extend(braintrust()),
    }
    all
}

fn common(product: Product) -> Vec<Sample> {
    let var = |langsmith: &'static str, braintrust: &'static str| match product {
        Product::LangSmith => langsmith,
        _ => braintrust,
    };
    let rule = |pattern: &str| json!([{"pattern": pattern, "replace": null}]);
    let switch = |key, var| sample(key, var, [json!(true), json!(false)], Some(PLANTED));
    vec![
        switch("enabled", var("TRACE_TO_LANGSMITH", "TRACE_TO_BRAINTRUST")),
        switch("redact", var("LANGSMITH_CODEX_REDACT", "BRAINTRUST_REDACT")),
        switch("live", var("LANGSMITH_CODEX_LIVE", "BRAINTRUST_LIVE")),
        switch(
            "flush_on_turn_end",
            var(
                "LANGSMITH_CODEX_FLUSH_ON_TURN_END",
                "BRAINTRUST_FLUSH_ON_TURN_END",
            ),
        ),
        switch(
            "default_muted",
            var("LANGSMITH_CODEX_DEFAULT_MUTED", "BRAINTRUST_DEFAULT_MUTED"),
        ),
        sample(
            "api_key",
            var("LANGSMITH_CODEX_API_KEY", "BRAINTRUST_API_KEY"),
            [
                json!("sk-aaaaaaaaaaaaaaaaaaaaaaaa"),
                json!("sk-bbbbbbbbbbbbbbbbbbbbbbbb"),
            ],
            Some("lsv2_pt_plantedplantedplanted with spaces"),
        ),
        sample(
            "api_url",
            var("LANGSMITH_CODEX_ENDPOINT", "BRAINTRUST_API_URL"),
            [json!("https://a.example"), json!("https://b.example/api")],
            Some("https://user:lsv2_pt_plantedplantedplanted@a.example"),
        ),
        sample(
            "project",
            var("LANGSMITH_CODEX_PROJECT", "BRAINTRUST_PROJECT"),
            [json!("a"), json!("b")],
            None,
        ),
        sample(
            "metadata",
            var("LANGSMITH_CODEX_METADATA", "BRAINTRUST_ADDITIONAL_METADATA"),
            [json!({"k": 1}), json!({"k": {"nested": "2"}})],
            Some(PLANTED_JSON),
        ),
        sample(
            "redact_extra_rules",
            var("LANGSMITH_CODEX_REDACT_EXTRA", "BRAINTRUST_REDACT_EXTRA"),
            [rule("a+"), rule("b+")],
            Some(PLANTED_JSON),
        )
        .refusing(json!({"pattern": PLANTED})),
        sample(
            "max_field_bytes",
            "CODEX_TRACING_MAX_FIELD_BYTES",
            [json!(1000), json!(2000)],
            Some("-1"),
        ),
        sample(
            "images",
            "CODEX_TRACING_IMAGES",
            [json!("reference"), json!("omit")],
            Some(PLANTED),
        ),
    ]
}

fn langsmith() -> Vec<Sample> {
    let mut replicas = sample(
        "replicas",
        "LANGSMITH_CODEX_RUNS_ENDPOINTS",
        [
            json!([{"api_url": "https://a.example/", "apiKey": "key-a", "projectName": "p"}]),
            json!({"https://b.example": "key-b"}),
        ],
        Some(PLANTED_JSON),
    )
    .refusing(json!(PLANTED));
    replicas.good[0].1 = json!([["https://a.example", "key-a", "p", {}]]);
    replicas.good[1].1 = json!([["https://b.example", "key-b", null, {}]]);
    let headers = |trace: &str| json!({"langsmith-trace": trace, "baggage": "x=y"});
    vec![
        sample(
            "workspace_id",
            "LANGSMITH_CODEX_WORKSPACE_ID",
            [json!("a"), json!("b")],
            None,
        ),
        sample(
            "parent_headers",
            "LANGSMITH_CODEX_PARENT_HEADERS",
            [headers("t1"), headers("t2")],
            Some(PLANTED_JSON),
        ),
        replicas,
    ]
}

fn braintrust() -> Vec<Sample> {
    vec![
        sample(
            "app_url",
            "BRAINTRUST_APP_URL",
            [json!("https://a.example"), json!("https://b.example")],
            Some("https://user:lsv2_pt_plantedplantedplanted@a.example"),
        ),
        sample(
            "org_name",
            "BRAINTRUST_ORG_NAME",
            [json!("a"), json!("b")],
            None,
        ),
        sample(
            "parent_span_id",
            "CODEX_PARENT_SPAN_ID",
            [json!("a"), json!("b")],
            None,
        ),
        sample(
            "root_span_id",
            "CODEX_ROOT_SPAN_ID",
            [json!("a"), json!("b")],
            None,
        ),
        sample(
            "record_file",
            "BRAINTRUST_EVENT_SERVER_RECORD_FILE",
            [json!("/a/record.ndjson"), json!("/b/record.ndjson")],
            None,
        ),
    ]
}

impl Sample {
    fn refusing(mut self, bad: Value) -> Self {
        self.bad = bad;
        self
    }

    /// A good value as a variable holds it.
    pub(crate) fn text(value: &Value) -> String {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    }
}
