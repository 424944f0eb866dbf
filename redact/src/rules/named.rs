//! Secrets known by the name they are assigned to: `NAME=value`, `"name": "value"`.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Lead, PLACEHOLDER, Rule};

/// `NAME = value`. A backslash before a quote, the mark of JSON inside a string, is no part of the
/// value, and neither is an ellipsis (this crate's own marks begin with one).
pub(super) const RULE: Rule = Rule {
    name: "NAME = value",
    anchors: &[
        "apikey",
        "api_key",
        "api-key",
        "secret",
        "token",
        "password",
        "passwd",
        "privatekey",
        "private_key",
        "private-key",
        "accesskey",
        "access_key",
        "access-key",
        "passphrase",
        "encryption_key",
        "encryption-key",
        "encryptionkey",
        "signing_key",
        "signing-key",
        "signingkey",
        "master_key",
        "master-key",
        "masterkey",
        "account_key",
        "account-key",
        "accountkey",
        "_pwd",
        "appkey",
        "app_key",
        "app-key",
        "sharedkey",
        "shared_key",
        "shared-key",
        "client_key_data",
        "client-key-data",
        "_pass",
        "-pass",
        "dbpass",
        "keypass",
        "storepass",
        "userpass",
    ],
    any_case: true,
    lead: Lead::Name,
    pattern: concat!(
        r"(?i-u:[a-z0-9_.-]*(?:",
        keywords!(),
        r#")(?:[_.-][a-z0-9]+)*)(?:\\*["'])?\]?\s*(?::=|=>|[:=])\s*"#,
        // A block of YAML begins on the next line; TOML and Python quote three times.
        r#"(?:[|>][+-]?(?:\s|\\+[nrt])+)?(?:\\*["']){0,3}"#,
        r"(?P<s>(?i-u:(?:bearer|token|basic)(?u:\s+))?(?:",
        // An escaped line end ends the value, if that leaves enough of one.
        r#"(?:[^\s"'&;\\…]|\\+[^\s"'&;\\nrt]){6,}|(?:[^\s"'&;\\…]|\\+[^\s"'&;\\]){6,}"#,
        // Several words, if quotes hold them together.
        r#"|[^\s"'&;\\…]{1,5}\x20[^"'\r\n\\…]{2,80}))"#,
    ),
    harmless: Some(is_harmless),
};

/// The whole of a JSON key that says secret.
static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i-u)(?:",
        keywords!(),
        r")(?:[_.-][a-z0-9]+)*\z|\A(?:proxy-)?authorization\z|\A(?:set-)?cookie\z|\A_?auth\z",
    ))
    .ok()
});

/// Whether a JSON key says that its string is a secret. Numbers are none, so `token_count` and
/// its like matter only where a text stands under them.
pub(crate) fn key_names_secret(key: &str) -> bool {
    KEY.as_ref().is_none_or(|pattern| pattern.is_match(key)) && !counts_something(key)
}

/// Whether a text that stands under a secret's name is worth hiding.
pub(crate) fn names_secret_exactly(key: &str, value: &str) -> bool {
    value.len() >= 6
        && value != PLACEHOLDER
        && key_names_secret(key)
        && !(names_type(key) && is_scheme(value))
        && (!key.eq_ignore_ascii_case("auth") || is_base64(value))
}

fn is_base64(value: &str) -> bool {
    value.len() >= 12
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte))
}

/// `token_type`, `token_type_hint`.
fn names_type(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("_type") || name.ends_with("_type_hint")
}

/// `bearer`, `urn:ietf:params:oauth:token-type:jwt`: words, no digits.
fn is_scheme(value: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_alphabetic() || "_-.:".contains(c))
}

/// Names of sizes, such as `token_count`, as opposed to names of secrets.
fn counts_something(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "count",
        "limit",
        "usage",
        "budget",
        "length",
        "len",
        "size",
        "ttl",
        "expires_in",
        "index",
    ]
    .iter()
    .any(|unit| {
        name.strip_suffix(unit)
            .is_some_and(|before| before.ends_with(['_', '-', '.']))
    })
}

fn is_harmless(found: &Found<'_>) -> bool {
    let prefix = found.prefix();
    let name = prefix
        .find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))
        .map_or(prefix, |end| prefix.get(..end).unwrap_or_default());
    let after = prefix.get(name.len()..).unwrap_or_default();
    let key_is_quoted = after.trim_start_matches('\\').starts_with(['"', '\'']);
    let value_is_quoted = prefix.ends_with(['"', '\'']);
    let value = found.secret();
    if is_phrase(value) {
        let is_env = after.starts_with('=') && !name.bytes().any(|byte| byte.is_ascii_lowercase());
        let tells = key_is_quoted || is_env || value.bytes().any(|byte| byte.is_ascii_digit());
        return !(value_is_quoted && tells && is_quote(found.rest()));
    }
    if value_is_quoted {
        return names_type(name) && is_scheme(value);
    }
    if key_is_quoted && is_json_literal(value) {
        return true;
    }
    if counts_something(name) && value.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    !key_is_quoted && (is_path_or_field(name, after, value) || is_code(value, found.rest()))
}

/// Where a quoted value ends whose first word was found: a password of several words is hidden as a
/// whole. `secret` is what was found.
pub(crate) fn end_of_quoted(text: &str, secret: &Range<usize>) -> usize {
    let before = text.get(..secret.start).unwrap_or_default();
    let rest = text.get(secret.end..).unwrap_or_default();
    let Some(quote) = before
        .chars()
        .next_back()
        .filter(|c| matches!(c, '"' | '\''))
    else {
        return secret.end;
    };
    let line = rest.bytes().take(LONGEST_PHRASE);
    let end = line
        .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
        .position(|byte| matches!(byte, b'\\' | b'"' | b'\''));
    end.filter(|end| {
        let close = rest.get(*end..).unwrap_or_default();
        close.trim_start_matches('\\').starts_with(quote)
    })
    .map_or(secret.end, |end| secret.end + end)
}

/// Longest rest of a password of several words, in bytes.
const LONGEST_PHRASE: usize = 200;

/// Whether it begins with a word too short to be a secret of its own.
fn is_phrase(value: &str) -> bool {
    value.find(' ').is_some_and(|at| at < 6) && !begins_with_scheme(value)
}

/// `Bearer …`, `token …`, `Basic …`.
fn begins_with_scheme(value: &str) -> bool {
    let first = value.split(' ').next().unwrap_or_default();
    ["bearer", "token", "basic"]
        .iter()
        .any(|scheme| first.eq_ignore_ascii_case(scheme))
}

/// A quote, which may be escaped.
fn is_quote(text: &str) -> bool {
    text.trim_start_matches('\\').starts_with(['"', '\''])
}

/// `12345678,` or `false}`: a number or a word of JSON with what may follow it.
fn is_json_literal(value: &str) -> bool {
    let value = value.trim_end_matches([',', '}', ']']);
    matches!(value, "true" | "false" | "null") || value.parse::<f64>().is_ok_and(f64::is_finite)
}

/// `token::Brace`, a path, and `token: node.token`, something of the same name.
fn is_path_or_field(name: &str, after: &str, value: &str) -> bool {
    if let Some(path) = value.strip_prefix(':').filter(|_| after == ":") {
        return path.starts_with(|c: char| c.is_ascii_uppercase() || "{*[".contains(c))
            || !path.bytes().any(|byte| byte.is_ascii_digit());
    }
    let value = value.trim_end_matches([',', ')', '}', ']', '?', '.', '(']);
    let last = name.rsplit(['.', '-']).next().unwrap_or_default();
    // `refresh_token=refresh_token`; a single word may be a careless password.
    if last.contains('_') && value == last {
        return true;
    }
    let before = ["::", "->", "."]
        .iter()
        .find_map(|dot| strip_name(value, last).and_then(|before| before.strip_suffix(dot)));
    !last.is_empty()
        && before.is_some_and(|before| {
            before
                .chars()
                .all(|c| c.is_ascii_alphabetic() || "_.:->".contains(c))
        })
}

/// `value` without the name it ends with, in any case: `user.Password` under `password`.
fn strip_name<'v>(value: &'v str, name: &str) -> Option<&'v str> {
    let (before, end) = value.split_at_checked(value.len().checked_sub(name.len())?)?;
    end.eq_ignore_ascii_case(name).then_some(before)
}

/// An expression or a type of a programming language, not a secret: `lexer.next_token()`,
/// `self.token`, `Option<String>`. Only words without digits pass, so a random token never does.
fn is_code(value: &str, rest: &str) -> bool {
    static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"\A(?:",
            // A call: its arguments follow, or a quote, `&` or a space that ended the value.
            r"[A-Za-z_]+(?:(?:\.|::|->)[A-Za-z_]+)*!?\((?:.*\)[;,.?)}\]]*|[A-Za-z_.,:*]*)",
            // A macro.
            r"|[A-Za-z_]+![\[({].*",
            // A type in brackets, a placeholder.
            r"|<[A-Za-z_!\[\]:-]+>(?:::.*)?[,;)]*",
            // A field of something.
            r"|(?:self|this)(?:\.[A-Za-z0-9_]+)+(?:\(.*)?[,)}\]\[;]*",
            r"|(?:self|this|config|cfg|settings|args|opts|options|ctx|req|request|props|params",
            r"|env|process\.env|os\.environ|std)(?:(?:\.|::)[A-Za-z_]+)+[,)}\]\[]*",
            // A type.
            r"|(?:(?:__)?u?int(?:8|16|32|64)(?:_t)?|(?:__)?[iu](?:8|16|32|64|128|size)",
            r"|c_[a-z]+|[A-Za-z_]+(?:::[A-Za-z_]+)+|[A-Z][A-Za-z]+<[A-Za-z_<>:,&]*",
            r"|String|string|SecretString|boolean|number|unknown|&str|Option<.*|Vec<.*",
            r"|(?:typing\.)?Optional\[.*|Arc<.*|Box<.*|Cow<.*|Result<.*|undefined|Promise<.*)[,)}\]>|]*",
            r"|(?:[A-Z][A-Za-z]*\)[:,{]*|[A-Za-z]*(?:Token|Buffer|Bytes)[A-Za-z]*[,)>\]}]+)",
            r")\z",
        ))
        .ok()
    });
    let call_is_cut = value.ends_with('(') && !rest.starts_with(['"', '\'', '&', ' ', '\n', '\r']);
    !call_is_cut && CODE.as_ref().is_some_and(|code| code.is_match(value))
}
