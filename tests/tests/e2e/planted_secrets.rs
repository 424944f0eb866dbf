//! Fake secrets are planted wherever a session can hold them; then everything that we wrote or
//! sent is searched for them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use codex_tracing_tests::{Collector, Fault, Product, Scenario, Stage, versions};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::traces::{body, everything_sent};

/// The keys that [`Stage`] gives the plugins.
const OWN_KEYS: [&str; 2] = [
    "lsv2_pt_0123456789abcdef0123456789abcdef",
    "sk-0123456789abcdef",
];
/// Words of prompt, arguments, outputs and answer: sent, but kept in no file of ours.
const CONTENT: [&str; 4] = [
    "quokka prompt",
    "bilby argument",
    "numbat output",
    "wombat answer",
];

/// Letters and digits that look random, made up while the test runs so that no scanner finds a
/// secret in these sources.
fn random(label: &str, length: usize) -> String {
    let mut out = String::new();
    for round in 0_u8.. {
        let hash = Sha256::digest(format!("{label} {round}"));
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let letter = |byte: &u8| char::from(letters[usize::from(*byte) % letters.len()]);
        out.extend(hash.iter().map(letter));
        if out.len() >= length {
            break;
        }
    }
    out.truncate(length);
    out
}

/// What must be nowhere, and the text it stands in.
fn planted() -> Vec<(String, String)> {
    let upper = random("aws", 16).to_uppercase();
    let prefixed = [
        ("sk-proj-", 48),
        ("sk-ant-api03-", 90),
        ("ghp_", 36),
        ("glpat-", 20),
        ("sk_live_", 24),
        ("AIza", 35),
        ("npm_", 36),
        ("lsv2_sk_", 32),
        ("xoxb-12345678901-123456789012-", 24),
    ];
    let mut planted: Vec<(String, String)> = prefixed
        .iter()
        .map(|(prefix, length)| {
            let secret = random(prefix, *length);
            let secret = if prefix.starts_with("lsv2") {
                format!("{:x}", Sha256::digest(secret))
                    .chars()
                    .take(32)
                    .collect()
            } else {
                secret
            };
            (
                secret.clone(),
                format!("the token is {prefix}{secret} and no other"),
            )
        })
        .collect();
    let mut assigned = |secret: String, around: [&str; 2]| {
        planted.push((
            secret.clone(),
            format!("{}{secret}{}", around[0], around[1]),
        ));
    };
    assigned(upper, ["id AKIA", " of the role"]);
    assigned(random("env", 40), ["export AWS_SECRET_ACCESS_KEY=", ""]);
    assigned(random("database", 24), ["DATABASE_PASSWORD=", ""]);
    assigned(
        random("url", 20),
        ["postgres://dev:", "@db.example.com/app"],
    );
    assigned(
        random("bearer", 48),
        ["curl -H 'Authorization: Bearer ", "' https://example.com/"],
    );
    assigned(random("json", 32), ["{\"api_key\": \"", "\"}"]);
    let begin = format!("-----BEGIN {} KEY-----\n", "PRIVATE");
    let end = format!("\n-----END {} KEY-----", "PRIVATE");
    assigned(random("pem", 64), [&begin, &end]);
    planted
}

/// Secrets in the prompt, in a file that is printed, in a command, in its error, in the answer.
fn scenario(planted: &[(String, String)]) -> Scenario {
    let texts: Vec<&str> = planted.iter().map(|(_, text)| text.as_str()).collect();
    let all = texts.join("\n");
    let in_command = format!(
        "echo 'bilby argument' > /dev/null; cat secrets.txt; : \"{}\"",
        texts[0]
    );
    let failing = "cat secrets.txt >&2; exit 3";
    Scenario {
        files: BTreeMap::from([("secrets.txt".to_owned(), format!("numbat output\n{all}\n"))]),
        run: serde_json::from_value(json!([{"exec": [format!("quokka prompt\n{all}")]}])).unwrap(),
        ..Scenario::answering(json!([
            [
                {"type": "reasoning", "text": format!("**Looking** {all}")},
                {"type": "function_call", "name": "exec_command", "args": {"cmd": in_command}},
                {"type": "function_call", "name": "exec_command", "args": {"cmd": failing}},
            ],
            [{"type": "message", "text": format!("wombat answer\n{all}"), "phase": "final_answer"}],
        ]))
    }
}

fn assert_clean(what: &str, text: &str, planted: &[(String, String)]) {
    for (secret, around) in planted {
        let found = text.find(secret.as_str());
        let context = found.map(|at| {
            let from = text.floor_char_boundary(at.saturating_sub(120));
            text.get(from..at + secret.len()).unwrap_or_default()
        });
        assert!(
            context.is_none(),
            "{what} holds the secret of {around:?}: …{context:?}"
        );
    }
}

fn assert_requests_clean(collector: &Collector, planted: &[(String, String)]) {
    for request in collector.requests() {
        let content = body(&request);
        assert_clean(
            &request.path,
            &format!("{} {content}", request.path),
            planted,
        );
        for key in OWN_KEYS {
            assert!(
                !content.contains(key),
                "{}: our key in a body",
                request.path
            );
            let carriers = request
                .headers
                .iter()
                .filter(|(_, value)| value.contains(key));
            let names: Vec<&str> = carriers.map(|(name, _)| name.as_str()).collect();
            let expected = |name: &&str| ["x-api-key", "authorization"].contains(name);
            assert!(names.iter().all(expected), "{names:?}");
        }
    }
}

fn assert_files_clean(stage: &Stage, planted: &[(String, String)]) {
    let files = stage.own_files();
    assert!(files.len() > 2, "journal, cursors, log: {files:?}");
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let name = file.display().to_string();
        assert_clean(&name, &text, planted);
        for word in CONTENT.iter().chain(&OWN_KEYS) {
            assert!(!text.contains(word), "{name} holds {word:?}:\n{text}");
        }
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

/// What Codex itself keeps below the home: the record of its sessions and its databases.
fn is_codexs(below: &str) -> bool {
    let kept = [
        "app/secrets.txt",
        ".codex/sessions/",
        ".codex/history.jsonl",
        ".codex/log/",
    ];
    kept.iter().any(|place| below.starts_with(place))
        || below.starts_with(".codex/") && below.contains(".sqlite")
}

/// Wherever else something was written below the home, in a folder of ours or not.
fn assert_home_clean(stage: &Stage, planted: &[(String, String)]) {
    let home = stage.home.home();
    let files = walkdir::WalkDir::new(home).into_iter().map(Result::unwrap);
    let mut searched = 0;
    for file in files.filter(|entry| entry.file_type().is_file()) {
        let below = file
            .path()
            .strip_prefix(home)
            .unwrap()
            .display()
            .to_string();
        if !is_codexs(&below) {
            let bytes = std::fs::read(file.path()).unwrap();
            assert_clean(&below, &String::from_utf8_lossy(&bytes), planted);
            searched += 1;
        }
    }
    assert!(searched > stage.own_files().len(), "only {searched} files");
}

#[test]
fn no_planted_secret_is_in_any_file_of_ours_nor_in_any_request() {
    for version in &versions() {
        let planted = planted();
        let products = [Product::LangSmith, Product::Braintrust];
        let Some(mut stage) = Stage::set(version, scenario(&planted), &products).unwrap() else {
            continue;
        };
        stage.home.set_env("CODEX_TRACING_LOG", "trace");
        // A destination that fails for a while makes us keep and log what we else would not.
        stage.collector.inject("/", Fault::Status(503, None));
        let outputs = stage.run().unwrap();
        assert_eq!(outputs[0].code, Some(0), "{}", outputs[0].stderr);
        stage.collector.heal();
        stage.flush().unwrap();
        stage.wait_for("both traces", |collector| {
            collector.runs().roots().len() == 1 && !collector.rows().all().is_empty()
        });
        let asked = format!("{:?}", stage.model.requests());
        let sent = everything_sent(&stage.collector);
        for word in CONTENT {
            assert!(sent.contains(word), "{word} is sent");
        }
        for (secret, around) in &planted {
            assert!(asked.contains(secret.as_str()), "{around:?} was said");
        }
        stage.wait_for_workers_to_leave();
        assert_requests_clean(&stage.collector, &planted);
        assert_files_clean(&stage, &planted);
        assert_home_clean(&stage, &planted);
        for line in [&outputs[0].stdout, &outputs[0].stderr] {
            assert!(!line.contains("codex-tracing"), "{line}");
        }
    }
}
