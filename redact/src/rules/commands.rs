//! Secrets on command lines: options, and the words of tools that take a password as an argument.

use super::{Found, Rule, lacks_digit_or_letter, setting};

pub(super) const RULES: &[Rule] = &[
    setting(
        "netrc",
        &["login"],
        r#"(?i-u:login)(?:\s|\\+[nrt])+\S{1,100}?(?:(?:\s|\\+[nrt])+(?i-u:account)\s+\S{1,100}?)?(?:\s|\\+[nrt])+(?i-u:password)\s+(?P<s>[^\s"'\\]{4,})"#,
        None,
    ),
    setting(
        "option with a secret",
        &[
            "--password",
            "--passwd",
            "--token",
            "--secret",
            "--api-key",
            "--apikey",
            "--auth-token",
            "--access-token",
            "--client-secret",
            "--api-token",
        ],
        r#"--[A-Za-z-]+(?:\\*["'])?[\s,]+(?:\\*["'])?(?P<s>[[:alnum:]_.~+/!@#%^*-][^\s"'&;\\]{5,})"#,
        Some(is_word_or_option),
    ),
    setting(
        "curl user",
        &["-u ", "--user ", "--user="],
        r#"(?i-u:-u\s+|--user[\s=]\s*)(?:\\*["'])?[^\s:"'/\\]{1,100}:(?P<s>[^\s"'\\]{4,})"#,
        Some(is_number_or_path),
    ),
    setting(
        "curl user without a space",
        &["curl"],
        r#"(?i-u:curl)(?:\s[^\r\n|;]{0,160}?)?\s-u(?:\\*["'])?[^\s:"'/\\-][^\s:"'/\\]{0,100}:(?P<s>[^\s"'\\]{4,})"#,
        Some(is_number_or_path),
    ),
    setting(
        "sshpass",
        &["sshpass"],
        r#"(?i-u:sshpass)\s+-p\s*(?:\\*["'])?(?P<s>[^\s"'\\]{4,})"#,
        None,
    ),
    setting(
        "password of MySQL",
        &["mysql", "mariadb"],
        r#"(?i-u:mysql|mariadb)[a-z]{0,8}(?:\s[^\r\n|;&]{0,160}?)?\s-p(?:\\*["'])?(?P<s>[^\s"'\\-][^\s"'\\]{3,})"#,
        Some(is_number_or_path),
    ),
    setting(
        "login -p",
        &["login "],
        r#"(?i-u:login)(?:\s[^\r\n|;&]{0,160}?)?\s-p\s+(?:\\*["'])?(?P<s>[^\s"'\\-][^\s"'\\]{3,})"#,
        Some(is_number_or_path),
    ),
    setting(
        "password of Redis",
        &["redis-cli", "requirepass", "masterauth"],
        concat!(
            r#"(?:(?i-u:redis-cli)(?:\s[^\r\n|;&]{0,160}?)?\s-a|(?i-u:requirepass|masterauth))\s+"#,
            r#"(?:\\*["'])?(?P<s>[^\s"'\\-][^\s"'\\]{5,})"#,
        ),
        Some(is_number_or_path),
    ),
    setting(
        "password of LDAP tools",
        &[
            "ldapsearch",
            "ldapmodify",
            "ldapadd",
            "ldapdelete",
            "ldappasswd",
            "ldapwhoami",
        ],
        r#"(?i-u:ldap[a-z]{1,8})(?:\s[^\r\n|;&]{0,160}?)?\s-w\s*(?:\\*["'])?(?P<s>[^\s"'\\-][^\s"'\\]{3,})"#,
        Some(is_number_or_path),
    ),
    setting(
        "password of OpenSSL",
        &["pass:"],
        r#"(?i-u:pass):(?P<s>[^\s"'\\]{4,})"#,
        Some(is_no_argument_of_openssl),
    ),
    // The variable and its value are words of their own: Windows, fish, csh.
    setting(
        "variable set by a command",
        &["setx ", "setenv ", "set -"],
        concat!(
            r"(?i-u:setx|setenv|set\s+-[a-z]{1,4})\s+(?i-u:[a-z0-9_]*(?:",
            keywords!(),
            r#")[a-z0-9_]*)\s+(?:\\*["'])?(?P<s>[^\s"'\\]{6,})"#,
        ),
        None,
    ),
    setting(
        "authorization of another scheme",
        &["authorization"],
        concat!(
            r#"(?i-u:authorization)(?:\\*["'])?\]?\s*[:=]\s*(?:\\*["'])?"#,
            r"(?i-u:apikey|api-key|bot|genie[a-z]{0,3}|jwt|key|negotiate|ntlm|oauth|splunk|ssws)",
            r"\s+(?P<s>[^\s\r\n][^\r\n'\\]{5,})",
        ),
        Some(lacks_digit_or_letter),
    ),
    setting(
        "answer of a digest",
        &["response="],
        r#"(?i-u:response)=\\*["'](?P<s>[a-f0-9]{32,64})\\*["']"#,
        None,
    ),
    setting(
        "secure string of PowerShell",
        &["convertto-securestring"],
        r#"(?i-u:convertto-securestring)\s+(?:(?i-u:-string)\s+)?\\*["'](?P<s>[^"'\\$][^"'\\]{3,})"#,
        None,
    ),
];

/// `-passin pass:…` as opposed to `pass: ok`, `bypass:`.
fn is_no_argument_of_openssl(found: &Found<'_>) -> bool {
    let before = found.text.get(..found.whole.start).unwrap_or_default();
    let option = before.trim_end_matches([' ', '=', '"', '\'', '\\']);
    !["-pass", "-passin", "-passout"]
        .iter()
        .any(|name| option.ends_with(name))
}

/// `--token option` of a manual, `--token --verbose` of a command line.
fn is_word_or_option(found: &Found<'_>) -> bool {
    let secret = found.secret();
    secret.starts_with('-')
        || secret
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b".,:-/".contains(&byte))
}

/// `-u 1000:1000` of docker, `-u user:group` of chown-like tools is not told apart from a short
/// word and stays hidden.
fn is_number_or_path(found: &Found<'_>) -> bool {
    let secret = found.secret();
    secret.starts_with(['/', '$']) || secret.bytes().all(|byte| byte.is_ascii_digit())
}
