//! The rules of LangSmith's secret anonymizer, in its order, with what had to change for Rust and
//! for text that is escaped once more: a backslash may stand before a quote, and a quote ends a
//! URL's password.

use super::{Lead, Rule, named};

/// A rule found at its anchor whatever stands before it.
const fn token(
    name: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule {
        name,
        anchors,
        any_case: false,
        lead: Lead::Here,
        pattern,
        harmless: None,
    }
}

/// A rule whose anchor begins a word, in any case.
const fn header(
    name: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule {
        name,
        anchors,
        any_case: true,
        lead: Lead::Word,
        pattern,
        harmless: None,
    }
}

pub(super) const RULES: &[Rule] = &[
    token("Anthropic key", &["sk-ant-"], r"sk-ant-[[:alnum:]_-]{20,}"),
    token(
        "OpenAI scoped key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-"],
        r"sk-(?:proj|svcacct|admin)-[[:alnum:]_-]{20,}",
    ),
    token("OpenAI legacy key", &["sk-"], r"sk-[[:alnum:]]{32,}"),
    token(
        "LangSmith key, second version",
        &["lsv2_"],
        r"lsv2_(?:pt|sk)_[[:alnum:]]{32,}(?:_[[:alnum:]]+)*",
    ),
    token(
        "LangSmith key, first version",
        &["ls__"],
        r"ls__[[:alnum:]]{16,}",
    ),
    token(
        "GitHub token",
        &["gho_", "ghp_", "ghr_", "ghs_", "ghu_"],
        r"gh[oprsu]_[[:alnum:]]{36,}",
    ),
    token(
        "GitHub fine-grained token",
        &["github_pat_"],
        r"github_pat_[[:alnum:]_]{82}",
    ),
    token(
        "GitLab access token",
        &["glpat-"],
        r"glpat-[[:alnum:]_-]{20,}",
    ),
    Rule {
        name: "AWS key id",
        anchors: &["AKIA", "ASIA", "ABIA", "ACCA", "A3T"],
        any_case: false,
        lead: Lead::Word,
        pattern: r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[0-9A-Z]{16}(?-u:\b)",
        harmless: None,
    },
    token("Google API key", &["AIza"], r"AIza[[:alnum:]_-]{35}"),
    token("Google OAuth token", &["ya29."], r"ya29\.[[:alnum:]_-]+"),
    token(
        "Slack token",
        &["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"],
        r"xox[abprs]-[[:alnum:]-]{10,}",
    ),
    token(
        "Slack app token",
        &["xapp-"],
        r"xapp-[0-9]-[[:alnum:]-]{10,}",
    ),
    Rule {
        name: "Slack webhook",
        anchors: &["://hooks.slack.com", r":\/\/hooks.slack.com"],
        any_case: false,
        lead: Lead::Scheme,
        pattern: concat!(
            r"[A-Za-z0-9+.-]*?(?P<s>https:(?:\\*/){2}hooks\.slack\.com",
            r"\\*/services\\*/(?:\\*[[:alnum:]/])+)",
        ),
        harmless: None,
    },
    Rule {
        name: "Stripe key",
        anchors: &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        any_case: false,
        lead: Lead::Word,
        pattern: r"(?:sk|rk)_(?:live|test)_[[:alnum:]]{20,}(?-u:\b)",
        harmless: None,
    },
    token("npm token", &["npm_"], r"npm_[[:alnum:]]{36}"),
    token(
        "PyPI token",
        &["pypi-AgEIcHlwaS"],
        r"pypi-AgEIcHlwaS[[:alnum:]_-]{50,}",
    ),
    token(
        "SendGrid key",
        &["SG."],
        r"SG\.[[:alnum:]_-]{22}\.[[:alnum:]_-]{43}",
    ),
    token(
        "JWT",
        &["eyJ"],
        r"eyJ[[:alnum:]_-]+\.eyJ[[:alnum:]_-]+\.[[:alnum:]_-]+",
    ),
    Rule {
        name: "PEM private key",
        anchors: &["-----BEGIN "],
        any_case: false,
        lead: Lead::Pem,
        pattern: r"-----BEGIN (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----",
        harmless: None,
    },
    named::RULE,
    header(
        "authorization header",
        &["authorization", "x-api-key", "x-auth-token"],
        concat!(
            r#"(?i-u:authorization|x-api-key|x-auth-token)(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?"#,
            r"(?i-u:(?:bearer|token|basic)(?u:\s+))?(?P<s>(?i-u:[a-z0-9._~+/-]{8,}=*))",
        ),
    ),
    header(
        "bearer token",
        &["bearer"],
        r"(?i-u:bearer)\s+(?P<s>(?i-u:[a-z0-9._~+/-]{10,}=*))",
    ),
    Rule {
        name: "password in a URL",
        anchors: &["://", r":\/\/"],
        any_case: false,
        lead: Lead::Scheme,
        pattern: r#"[A-Za-z][A-Za-z0-9+.-]*:(?:\\*/){2}[^:@/\s"']*:(?P<s>[^/\s"'`<>]+)@"#,
        harmless: None,
    },
];
