use codex_tracing_transcript::{Outcome, ToolStatus, Window};
use jiff::Timestamp;
use serde_json::{Map, json};

use super::*;

fn check_mentions(text: &str, expected: &[&str]) {
    let mut names = Vec::new();
    mentioned(text, &mut names);
    assert_eq!(names, expected, "{text}");
}

#[test]
fn a_prompt_names_skills() {
    check_mentions("$release-notes", &["release-notes"]);
    check_mentions("use $pdf, then ($xlsx).", &["pdf", "xlsx"]);
    check_mentions("$Team:Deploy_2 now", &["Team:Deploy_2"]);
    check_mentions("/skills pdf", &["pdf"]);
    check_mentions("see skill://pdf/SKILL.md", &["pdf"]);
    check_mentions("read ~/.codex/skills/pdf/SKILL.md.", &["pdf"]);
    check_mentions("$pdf and $pdf", &["pdf"]);
}

#[test]
fn variables_prices_and_code_name_none() {
    for text in [
        "echo $HOME",
        "it costs $5.00 or $5",
        "$PATH:$LD_LIBRARY_PATH",
        "$path and $tmp",
        "`echo $name`",
        "`for f in $files; do`",
        "a$b",
        "${name} $(pwd) $$ $? $",
        "SKILL.md",
        "./SKILL.md",
        "/skills",
    ] {
        check_mentions(text, &[]);
    }
}

#[test]
fn codex_tells_what_it_loaded() {
    let mut names = Vec::new();
    loaded(
        "<skill>\n<name>pdf</name>\n<path>/x</path>\n…</skill>",
        &mut names,
    );
    loaded("look at <skill><name>no</name></skill>", &mut names);
    assert_eq!(names, ["pdf"]);
}

fn call(kind: ToolKind, name: &str, arguments: Arguments) -> ToolCall {
    ToolCall {
        id: "c".to_owned(),
        name: name.to_owned(),
        namespace: None,
        mcp_server: None,
        kind,
        arguments,
        outcome: Outcome {
            status: ToolStatus::Completed,
            output: None,
            exit_code: None,
            error: None,
        },
        window: Window {
            started_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
        },
        model_call: None,
        parent: None,
        approval: None,
        changes: Vec::new(),
        details: Map::new(),
    }
}

fn check_call(kind: ToolKind, name: &str, arguments: Value, expected: Option<&str>) {
    let shown = arguments.to_string();
    let found = implicit(&call(kind, name, Arguments::Json(arguments)));
    assert_eq!(
        found.map(|skill| skill.name).as_deref(),
        expected,
        "{shown}"
    );
}

#[test]
fn a_tool_call_reads_or_runs_a_skill() {
    use ToolKind::{Function, Shell};
    let shell =
        |cmd: &str, expected| check_call(Shell, "exec_command", json!({ "cmd": cmd }), expected);
    shell("cat /home/dev/.codex/skills/pdf/SKILL.md", Some("pdf"));
    shell("sed -n '1,50p' \"skills/pdf/SKILL.md\"", Some("pdf"));
    shell(
        "python .codex/skills/pdf/scripts/fill.py in.pdf",
        Some("pdf"),
    );
    shell("ls ~/.codex/skills/.system/docs/scripts/a.sh", Some("docs"));
    shell("./scripts/build.sh", None);
    shell("/repo/app/scripts/build.sh", None);
    shell("echo $HOME", None);
    shell("cat SKILL.md", None);
    shell("cat ../SKILL.md", None);
    let words = json!({ "command": ["bash", "-lc", "cat skills/pdf/SKILL.md"] });
    check_call(Shell, "shell", words, Some("pdf"));
    check_call(
        Function,
        "skills.read",
        json!({ "package": "pdf" }),
        Some("pdf"),
    );
    check_call(
        Function,
        "read_file",
        json!({ "path": "s/pdf/SKILL.md" }),
        Some("pdf"),
    );
    check_call(
        Function,
        "read_file",
        json!({ "note": "s/pdf/SKILL.md" }),
        None,
    );
    check_call(
        ToolKind::Patch,
        "apply_patch",
        json!({ "path": "s/pdf/SKILL.md" }),
        None,
    );
}
