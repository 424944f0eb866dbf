//! Secrets known by what they are assigned to, in other notations than `NAME = value`: attributes and
//! elements of XML, calls, columns, the words for a secret that are too short to count everywhere.

use super::{Found, Lead, Rule, lacks_digit_or_letter, setting};

pub(super) const RULES: &[Rule] = &[
    setting(
        "element of XML",
        &[
            "<password>",
            "<passphrase>",
            "<token>",
            "<secret>",
            "<apikey>",
            "<api_key>",
            "<accesskey>",
            "<secretkey>",
            "<privatekey>",
            "<clientsecret>",
            "<authtoken>",
        ],
        r"<[A-Za-z_]+>(?P<s>[^<>\s${][^<>\s]{3,200})</",
        None,
    ),
    setting(
        "attribute of XML",
        &["key=", "name="],
        concat!(
            r#"(?i-u:key|name)=\\*["'](?i-u:[a-z0-9_.:-]{0,80}?(?:"#,
            keywords!(),
            r#")[a-z0-9_.-]{0,20})\\*["']\s+(?i-u:value|content)=\\*["'](?P<s>[^"'\\<>]{6,})"#,
        ),
        None,
    ),
    setting(
        "argument of a call that sets",
        &["setenv(", "putenv(", "define(", "environmentvariable("],
        concat!(
            r#"(?i-u:setenv|putenv|define|environmentvariable)\(\s*\\*["'](?i-u:[a-z0-9_]*(?:"#,
            keywords!(),
            r#")[a-z0-9_]*)\\*["'],\s*\\*["'](?P<s>[^"'\\]{6,})"#,
        ),
        None,
    ),
    setting(
        "argument of a call that is named",
        &[
            "password(",
            "passwd(",
            "apikey(",
            "api_key(",
            "authtoken(",
            "auth_token(",
            "secretkey(",
            "secret_key(",
            "accesskey(",
            "access_key(",
            "clientsecret(",
            "client_secret(",
        ],
        r#"(?i-u:[a-z_]+)\(\s*\\*["'](?P<s>[^\s"'\\/]{6,})\\*["']"#,
        Some(lacks_digit_or_letter),
    ),
    Rule {
        name: "variable of an environment",
        anchors: &["_PASS", "_PAT", "CREDENTIAL", "_CREDS", "DBPASS"],
        any_case: false,
        lead: Lead::Here,
        pattern: r#"[A-Z_]{4,12}(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?(?P<s>[^\s"'&;\\,)]{6,})"#,
        harmless: Some(is_word_or_path),
    },
    Rule {
        name: "short name of a password",
        anchors: &["pass", "pwd", "psk"],
        any_case: false,
        lead: Lead::Word,
        pattern: r#"(?:pass|pwd|psk)\s*=\s*(?:\\*["'])?(?P<s>[^\s"'&;\\,)]{6,})"#,
        harmless: Some(is_word_or_path),
    },
    setting(
        "key in a query",
        &["?key=", "&key="],
        r"[?&](?i-u:key)=(?P<s>[[:alnum:]_-]{20,})",
        Some(lacks_digit_or_letter),
    ),
    Rule {
        name: "column of a table",
        anchors: &[
            "assword", "ecret", "oken", "_key", "PASSWORD", "SECRET", "TOKEN", "_KEY",
        ],
        any_case: false,
        lead: Lead::Before {
            class: is_name_or_bar,
            most: 48,
        },
        pattern: concat!(
            r"(?:\|\s*)?(?i-u:[a-z_]{0,40}?(?:password|secret|token|(?:api|access|secret|private)_key))",
            r#"(?:[ \t]*\|[ \t]*|[ \t]{2,})(?P<s>[^\s|"'\\]{8,200})[ \t]*(?:\||\r?\n|\\+[nr]|\z)"#,
        ),
        harmless: Some(is_no_column),
    },
    Rule {
        name: "jar of cookies",
        anchors: &["TRUE", "FALSE"],
        any_case: false,
        lead: Lead::Word,
        pattern: concat!(
            r"(?:TRUE|FALSE)(?:\t|\\+t)/[^\s\\]*(?:\t|\\+t)(?:TRUE|FALSE)(?:\t|\\+t)[0-9]+",
            r"(?:\t|\\+t)[^\s\\]+(?:\t|\\+t)(?P<s>[^\s\\]{8,})",
        ),
        harmless: None,
    },
    Rule {
        name: "password file of PostgreSQL",
        anchors: &[":5432:", ":6432:", ":*:"],
        any_case: false,
        lead: Lead::Before {
            class: is_host,
            most: 64,
        },
        pattern: r"[^\s:\\]+:(?:[0-9]+|\*):[^\s:\\/]+:[^\s:\\/]+:(?P<s>[^\s:\\]{6,})(?:\s|\\+[nr]|\z)",
        harmless: Some(is_within_words),
    },
];

const fn is_name_or_bar(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

const fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'*')
}

/// `FIRST_PASS=shadows`, `PASS=$(…)`, `pwd=/home/dev/app2`.
fn is_word_or_path(found: &Found<'_>) -> bool {
    let secret = found.secret();
    lacks_digit_or_letter(found)
        || secret.starts_with(['/', '~', '$', '.', '%', '<'])
        || secret.contains('(')
        || secret.get(1..3) == Some(":\\")
}

/// A row of a table begins its line; what stands in it is one word, and no version.
fn is_no_column(found: &Found<'_>) -> bool {
    let before = found.text.get(..found.whole.start).unwrap_or_default();
    let indentation = before.trim_end_matches([' ', '\t', '|']);
    // An escaped line end: its letter looks like the name's first.
    let begins_line = indentation.is_empty()
        || indentation.ends_with(['\n', '\r', '\\', '"'])
        || indentation.ends_with("\\n");
    let secret = found.secret();
    let is_version = secret
        .trim_start_matches('v')
        .starts_with(|c: char| c.is_ascii_digit())
        && secret.contains('.');
    !begins_line || is_version || lacks_digit_or_letter(found) || is_word_or_path(found)
}

/// `arn:aws:lambda:*:1234:function:name7`: more than the five fields of such a file.
fn is_within_words(found: &Found<'_>) -> bool {
    let before = found.text.get(..found.whole.start).unwrap_or_default();
    before.ends_with(':') || lacks_digit_or_letter(found)
}
