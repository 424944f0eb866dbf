//! Fake secrets of all kinds, made from pieces so that nothing here looks like one to a scanner.

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// `length` characters that look random and are always the same for a kind.
fn noise(kind: &str, alphabet: &str, length: usize) -> String {
    let alphabet = alphabet.as_bytes();
    let mut state = kind.bytes().fold(0x9E37_79B9_u64, |state, byte| {
        state.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let index = usize::try_from(state >> 33).unwrap() % alphabet.len();
        char::from(alphabet[index])
    };
    let mut text: String = (0..length).map(|_| next()).collect();
    // A letter and a digit, so that no rule takes it for a word.
    text.replace_range(..2, "a7");
    text
}

fn pem(line_end: &str, lines: usize, with_end: bool) -> String {
    let dashes = "-".repeat(5);
    let kind = ["OPENSSH ", "PRIVATE", " KEY"].concat();
    let mut parts = vec![format!("{dashes}BEGIN {kind}{dashes}")];
    parts.extend((0..lines).map(|line| noise(&format!("pem{line}"), ALNUM, 64)));
    if with_end {
        parts.push(format!("{dashes}END {kind}{dashes}"));
    }
    parts.join(line_end)
}

/// The secret of a kind; `None` if there is no such kind.
pub(crate) fn secret(kind: &str) -> Option<String> {
    let alnum = |length| noise(kind, ALNUM, length);
    let hex = |length| noise(kind, HEX, length);
    let upper = |length| noise(kind, UPPER, length).to_uppercase();
    Some(match kind {
        "age" => ["AGE-SECRET", "-KEY-1", &upper(58)].concat(),
        "anthropic" => ["sk-", "ant-", "api03-", &alnum(60)].concat(),
        "aws_key_id" => ["AK", "IA", &upper(16)].concat(),
        "aws_secret" | "random" => alnum(40),
        "azure_account_key" => alnum(86) + "==",
        "basic_auth" => alnum(24),
        "braintrust" => ["bt-", "st-", &alnum(40)].concat(),
        "databricks" => ["da", "pi", &hex(32)].concat(),
        "digitalocean" => ["dop", "_v1_", &hex(64)].concat(),
        "docker_hub" => ["dckr", "_pat_", &alnum(27)].concat(),
        "github_fine_grained" => ["github", "_pat_", &alnum(82)].concat(),
        "github_token" => ["gh", "p_", &alnum(36)].concat(),
        "gitlab" => ["gl", "pat-", &alnum(20)].concat(),
        "google_api" => ["AI", "za", &alnum(35)].concat(),
        "google_oauth" => ["ya", "29.", &alnum(60)].concat(),
        "google_refresh" => ["1/", "/0", &alnum(60)].concat(),
        "groq" => ["gs", "k_", &alnum(52)].concat(),
        "hugging_face" => ["h", "f_", &alnum(34)].concat(),
        "jwt" => [
            "ey",
            "J",
            &alnum(20),
            ".ey",
            "J",
            &alnum(40),
            ".",
            &alnum(43),
        ]
        .concat(),
        "langsmith" => ["lsv2", "_pt_", &hex(32), "_", &hex(10)].concat(),
        "linear" => ["lin", "_api_", &alnum(40)].concat(),
        "notion" => ["nt", "n_", &alnum(46)].concat(),
        "npm" => ["np", "m_", &alnum(36)].concat(),
        "openai_legacy" => ["s", "k-", &alnum(48)].concat(),
        "openai_project" => ["s", "k-", "proj-", &alnum(60)].concat(),
        "openrouter" => ["s", "k-", "or-v1-", &hex(64)].concat(),
        "password" | "url_password" => format!("Pl4nt#{}!", alnum(9)),
        "password_hash" => ["$", "6$", &alnum(16), "$", &alnum(86)].concat(),
        "password_hash_apache" => ["$", "apr1$", &alnum(8), "$", &alnum(22)].concat(),
        "password_hash_argon" => [
            "$",
            "argon2id$v=19$m=65536,t=3,p=4$",
            &alnum(22),
            "$",
            &alnum(43),
        ]
        .concat(),
        "heroku" => ["HRK", "U-", &alnum(36)].concat(),
        "pem_tail" => {
            let whole = pem("\n", 3, true);
            whole.split_once('\n').unwrap().1.to_owned()
        }
        "pem" => pem("\n", 6, true),
        "pem_escaped" => pem("\\n", 6, true),
        "pem_head" => pem("\n", 2, false),
        "perplexity" => ["pp", "lx-", &alnum(48)].concat(),
        "pypi" => ["pypi-", "AgEIcHlwaS", &alnum(60)].concat(),
        "random_hex" => hex(40),
        "replicate" => ["r", "8_", &alnum(37)].concat(),
        "sas" => alnum(43) + "%3D",
        "sendgrid" => ["S", "G.", &alnum(22), ".", &alnum(43)].concat(),
        "sentry" => ["snt", "rys_", &alnum(60)].concat(),
        "shopify" => ["shp", "at_", &hex(32)].concat(),
        "slack_bot" => ["xo", "xb-", &alnum(12), "-", &alnum(24)].concat(),
        "slack_webhook" => [
            "https://hooks.",
            "slack.com/services/",
            &upper(9),
            "/",
            &upper(9),
            "/",
            &alnum(24),
        ]
        .concat(),
        "stripe" => ["sk", "_live_", &alnum(24)].concat(),
        "telegram" => ["123456789", ":AA", &alnum(33)].concat(),
        "terraform" => [&alnum(14), ".atlas", "v1.", &alnum(67)].concat(),
        "vault" => ["hv", "s.", &alnum(90)].concat(),
        "xai" => ["xa", "i-", &alnum(80)].concat(),
        _ => return None,
    })
}

/// What must not be found of a secret: of one in several lines, no line of its key material.
pub(crate) fn fragments(kind: &str, secret: &str) -> Vec<String> {
    match kind {
        "pem" | "pem_escaped" | "pem_head" | "pem_tail" => secret
            .split(['\n', '\\'])
            .map(|line| line.trim_start_matches('n').to_owned())
            .filter(|line| line.len() > 40 && !line.contains("-----"))
            .collect(),
        // The parts that are secret by themselves.
        "slack_webhook" => secret.rsplit('/').take(1).map(str::to_owned).collect(),
        _ => vec![secret.to_owned()],
    }
}
