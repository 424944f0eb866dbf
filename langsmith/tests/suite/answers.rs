//! Any answer of a server; shared by the fuzz target and the bounded test.

use codex_tracing_config::{Context, Environment};
use codex_tracing_delivery::testing::answers;
use codex_tracing_langsmith::LangSmith;
use codex_tracing_redact::{Images, Redactor};

/// As [`answers::exercise`].
pub(crate) fn exercise(bytes: &[u8]) {
    let env = Environment::from_pairs([
        ("TRACE_TO_LANGSMITH", "true"),
        ("LANGSMITH_API_KEY", "lsv2_pt_0123456789abcdef"),
    ]);
    let settings = codex_tracing_config::langsmith(&Context::new(env, "/nowhere".into())).settings;
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    answers::exercise(&LangSmith::new(&settings, redactor, "1.0.0"), bytes);
}
