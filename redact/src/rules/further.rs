//! Rules beyond the published ones: what really occurs in the terminals of developers. Each has a
//! prefix or a shape of its own that ordinary text does not have.

use super::{Lead, Rule, lacks_digit_or_letter, mixed, setting, token};

const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~')
}

/// A line of base64, or what ends one.
const fn is_pem_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r' | b'\\')
}

pub(super) const RULES: &[Rule] = &[
    // Models.
    mixed(
        "other sk- key",
        &["sk-"],
        r"sk-[[:alnum:]]{2,12}-[[:alnum:]_-]{20,}",
    ),
    token("Hugging Face", &["hf_"], r"hf_[[:alnum:]]{30,}"),
    token("Groq", &["gsk_"], r"gsk_[[:alnum:]]{40,}"),
    token("xAI", &["xai-"], r"xai-[[:alnum:]_-]{40,}"),
    token("Perplexity", &["pplx-"], r"pplx-[[:alnum:]]{40,}"),
    token("Replicate", &["r8_"], r"r8_[[:alnum:]]{37,}"),
    token("NVIDIA", &["nvapi-"], r"nvapi-[[:alnum:]_-]{40,}"),
    mixed("Tavily", &["tvly-"], r"tvly-[[:alnum:]_-]{20,}"),
    token(
        "Braintrust service token",
        &["bt-st-"],
        r"bt-st-[[:alnum:]_-]{20,}",
    ),
    token(
        "LangSmith service key",
        &["ls_"],
        r"ls_(?:sk|pt)_[[:alnum:]]{32,}",
    ),
    // Clouds.
    token(
        "DigitalOcean",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"do[opr]_v1_[a-f0-9]{64}",
    ),
    token(
        "Google client secret",
        &["GOCSPX-"],
        r"GOCSPX-[[:alnum:]_-]{28}",
    ),
    token("Google refresh token", &["1//0"], r"1//0[[:alnum:]_-]{40,}"),
    Rule {
        name: "Azure client secret",
        anchors: &["8Q~"],
        any_case: false,
        lead: Lead::Before {
            class: is_token,
            most: 3,
        },
        pattern: r"(?P<s>[[:alnum:]_~.-]{3}8Q~[[:alnum:]_~.-]{31,34})",
        harmless: None,
    },
    setting(
        "Azure shared access signature",
        &["sig="],
        r"(?i-u:sig=)(?P<s>[[:alnum:]%+/=_-]{40,})",
        Some(lacks_digit_or_letter),
    ),
    setting(
        "AWS request signature",
        &["signature="],
        r"(?i-u:signature=)(?P<s>[a-f0-9]{64})(?-u:\b)",
        None,
    ),
    setting(
        "AWS presigned URL",
        &["x-amz-signature=", "x-amz-security-token="],
        r"(?i-u:x-amz-(?:signature|security-token)=)(?P<s>[[:alnum:]%+/=_-]{16,})",
        None,
    ),
    token(
        "Databricks",
        &["dapi"],
        r"dapi[a-f0-9]{32}(?:-[0-9])?(?-u:\b)",
    ),
    token(
        "Vault",
        &["hvs.", "hvb.", "hvr."],
        r"hv[sbr]\.[[:alnum:]_-]{24,}",
    ),
    Rule {
        name: "Terraform Cloud",
        anchors: &[".atlasv1."],
        any_case: false,
        lead: Lead::Before {
            class: |byte| byte.is_ascii_alphanumeric(),
            most: 14,
        },
        pattern: r"(?P<s>[[:alnum:]]{14}\.atlasv1\.[[:alnum:]_=-]{60,})",
        harmless: None,
    },
    token("Pulumi", &["pul-"], r"pul-[a-f0-9]{40}"),
    token(
        "Supabase",
        &["sbp_", "sb_secret_"],
        r"(?:sbp_[a-f0-9]{40}|sb_secret_[[:alnum:]_-]{20,})",
    ),
    token(
        "PlanetScale",
        &["pscale_"],
        r"pscale_(?:tkn|pw|oauth)_[[:alnum:]_.-]{32,}",
    ),
    token(
        "Fly.io",
        &["fm1_", "fm2_", "fo1_"],
        r"(?:fm[12]|fo1)_[[:alnum:]+/=_-]{40,}",
    ),
    token("Netlify", &["nfp_"], r"nfp_[[:alnum:]]{36,}"),
    token(
        "Doppler",
        &["dp."],
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.[[:alnum:]_.-]{40,}",
    ),
    // Code hosts, packages, chat, work.
    token(
        "GitLab other token",
        &[
            "glptt-",
            "gldt-",
            "glrt-",
            "glcbt-",
            "glsoat-",
            "glft-",
            "GR1348941",
        ],
        r"(?:gl(?:ptt|dt|rt|cbt|soat|ft)-|GR1348941)[[:alnum:]_-]{20,}",
    ),
    token(
        "Atlassian",
        &["ATATT3", "ATCTT3", "ATBB"],
        r"AT(?:ATT3|CTT3|BB)[[:alnum:]_=-]{28,}",
    ),
    token("Docker Hub", &["dckr_"], r"dckr_[po]at_[[:alnum:]_-]{27,}"),
    token("RubyGems", &["rubygems_"], r"rubygems_[a-f0-9]{48}"),
    mixed("crates.io", &["cio"], r"cio[[:alnum:]]{32}(?-u:\b)"),
    token("Postman", &["PMAK-"], r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    token(
        "Linear",
        &["lin_api_", "lin_oauth_"],
        r"lin_(?:api|oauth)_[[:alnum:]]{32,}",
    ),
    token(
        "Notion",
        &["ntn_", "secret_"],
        r"(?:ntn_[[:alnum:]]{40,}|secret_[[:alnum:]]{43})(?-u:\b)",
    ),
    token("Figma", &["figd_"], r"figd_[[:alnum:]_-]{36,}"),
    token(
        "HubSpot",
        &["pat-na", "pat-eu"],
        r"pat-(?:na|eu)[0-9]-[0-9a-f-]{36}",
    ),
    token("Buildkite", &["bkua_"], r"bkua_[a-f0-9]{40}"),
    token(
        "CircleCI",
        &["CCIPAT_"],
        r"CCIPAT_[[:alnum:]]{22}_[a-f0-9]{40}",
    ),
    Rule {
        name: "Telegram bot",
        anchors: &[":AA"],
        any_case: false,
        lead: Lead::Before {
            class: |byte| byte.is_ascii_digit(),
            most: 10,
        },
        pattern: r"(?P<s>[0-9]{8,10}:AA[[:alnum:]_-]{32,33})(?-u:\b)",
        harmless: None,
    },
    token(
        "Slack workflow webhook",
        &["hooks.slack.com"],
        r"hooks\.slack\.com\\*/(?:workflows|triggers)\\*/(?P<s>(?:\\*[[:alnum:]/]){24,})",
    ),
    Rule {
        name: "Teams webhook",
        anchors: &[".webhook.office.com"],
        any_case: false,
        lead: Lead::Here,
        pattern: r"\.webhook\.office\.com\\*/webhookb2\\*/(?P<s>[[:alnum:]@/\\-]{36,})",
        harmless: None,
    },
    Rule {
        name: "Discord webhook",
        anchors: &["/api/webhooks/"],
        any_case: false,
        lead: Lead::Here,
        pattern: r"/api/webhooks/[0-9]+/(?P<s>[[:alnum:]_-]{20,})",
        harmless: None,
    },
    // Money, mail, telephones, observability.
    token(
        "Shopify",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"shp(?:at|ca|pa|ss)_[[:xdigit:]]{32}",
    ),
    token(
        "webhook signing secret",
        &["whsec_"],
        r"whsec_[[:alnum:]+/=]{24,}",
    ),
    token(
        "Square",
        &["sq0atp-", "sq0csp-"],
        r"sq0(?:atp|csp)-[[:alnum:]_-]{22,}",
    ),
    token("Twilio", &["SK"], r"SK[0-9a-f]{32}(?-u:\b)"),
    token("Mailgun", &["key-"], r"key-[0-9a-f]{32}(?-u:\b)"),
    Rule {
        name: "Mailchimp",
        anchors: &["-us"],
        any_case: false,
        lead: Lead::Before {
            class: |byte| byte.is_ascii_hexdigit(),
            most: 32,
        },
        pattern: r"(?P<s>[0-9a-f]{32}-us[0-9]{1,2}(?-u:\b))",
        harmless: None,
    },
    token(
        "Resend",
        &["re_"],
        r"re_[[:alnum:]]{8}_[[:alnum:]]{24}(?-u:\b)",
    ),
    token("Heroku", &["HRKU-"], r"HRKU-[[:alnum:]_-]{30,}"),
    token("New Relic", &["NRAK-"], r"NRAK-[A-Z0-9]{27}"),
    token(
        "Grafana",
        &["glsa_", "glc_"],
        r"(?:glsa_[[:alnum:]]{32}_[a-f0-9]{8}|glc_[[:alnum:]+/]{32,}={0,2})",
    ),
    token(
        "Sentry token",
        &["sntrys_", "sntryu_"],
        r"sntry[su]_[[:alnum:]_=+/-]{40,}",
    ),
    // Keys in other clothes.
    token(
        "age key",
        &["AGE-SECRET-KEY-1"],
        r"AGE-SECRET-KEY-1[0-9A-Z]{50,}",
    ),
    token(
        "password hash",
        &[
            "$1$", "$5$", "$6$", "$y$", "$2a$", "$2b$", "$2y$", "$apr1$", "$argon2", "$pbkdf2",
        ],
        r"\$(?:1|5|6|y|2[aby]|apr1|argon2(?:id|i|d)|pbkdf2-[a-z0-9]+)\$[./[:alnum:]=$+,-]{22,}",
    ),
    token(
        "password hash of a directory",
        &["{SHA", "{SSHA"],
        r"\{S?SHA(?:256|512)?\}(?P<s>[[:alnum:]+/]{20,}={0,2})",
    ),
    Rule {
        name: "encrypted JWT",
        anchors: &["eyJ"],
        any_case: false,
        lead: Lead::Here,
        pattern: r"eyJ[[:alnum:]_-]{10,}\.[[:alnum:]_-]*\.[[:alnum:]_-]{10,}\.[[:alnum:]_-]{10,}\.[[:alnum:]_-]{10,}",
        harmless: None,
    },
    // `-----BEGIN PRIVATE KEY`, `… RSA`, `… EC`, `… OPENSSH`, encoded once more.
    token(
        "PEM private key in base64",
        &["LS0tLS1CRUdJTi"],
        concat!(
            "LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFWS|BSU0EgUFJJVkFURSBLRVk|BFQyBQUklWQVRFIEtFWS",
            "|BPUEVOU1NIIFBSSVZBVEUgS0VZ)[[:alnum:]+/=]*",
        ),
    ),
    Rule {
        name: "end of a PEM private key",
        anchors: &["-----END "],
        any_case: false,
        lead: Lead::Before {
            class: is_pem_body,
            most: 8192,
        },
        pattern: concat!(
            r"[[:alnum:]+/=\s\\]*?(?:\A|\s|\\[nr])(?P<s>(?:[[:alnum:]+/=]{40,}(?:\s|\\+[nr])+)+",
            r"(?:[[:alnum:]+/=]{1,80}(?:\s|\\+[nr])+)?)-----END (?:[A-Z0-9 ]+ )?PRIVATE KEY",
        ),
        harmless: None,
    },
    setting(
        "PuTTY private key",
        &["private-lines:"],
        r"(?i-u:private-lines:)\s*[0-9]+\s+(?P<s>(?:[[:alnum:]+/=]{16,}\s*)+)",
        None,
    ),
    Rule {
        name: "token as URL user",
        anchors: &["://", r":\/\/"],
        any_case: false,
        lead: Lead::Scheme,
        pattern: r"[A-Za-z][A-Za-z0-9+.-]*:(?:\\*/){2}(?P<s>[[:alnum:]_-]{20,})@",
        harmless: None,
    },
    setting(
        "cookie header",
        &["cookie"],
        concat!(
            r#"(?i-u:cookie)2?(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?"#,
            r#"(?P<s>[A-Za-z0-9_.-]+=[^\s;,"'\\(){}]{8,}[^\r\n"'\\]*)"#,
        ),
        None,
    ),
    setting(
        "docker auth",
        &["\"auth", "_auth"],
        r#"["_](?i-u:auth)(?:\\*")?\s*[:=]\s*(?:\\*")?(?P<s>[[:alnum:]+/]{12,}={0,2})"#,
        Some(lacks_digit_or_letter),
    ),
    setting(
        "connection string",
        &[";pwd=", "; pwd="],
        r#";\s?(?i-u:pwd)=(?P<s>[^\s;"'/\\$][^\s;"'\\]{3,})"#,
        None,
    ),
];
