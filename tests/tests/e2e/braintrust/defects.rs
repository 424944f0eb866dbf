//! What other tracers get wrong around delivery, each ruled out. Defects of content have their tests
//! beside the mapping.

use codex_tracing_tests::{Collector, Fault, PATIENCE, Row, Scenario, versions};
use serde_json::{Value, json};

use super::{NEWEST, arrived, ended_turns, stage, turns};

const DOWN: Fault = Fault::Status(503, None);

#[test]
fn what_did_not_arrive_is_not_reported_as_delivered() {
    for version in versions() {
        let Some(stage) = stage(&version, Scenario::default()) else {
            continue;
        };
        stage.collector.inject("/", DOWN);
        let output = stage.home.exec("Is anybody there?", &[]).unwrap();
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let flush = stage.tool(&["flush", "--timeout", "2s"]).unwrap();
        assert_eq!(flush.code, Some(1), "{}", flush.stdout);
        assert!(flush.stdout.contains("1 session left"), "{}", flush.stdout);
        let status = stage.tool(&["status", "--json"]).unwrap().stdout;
        let status: Value = serde_json::from_str(&status).unwrap();
        let session = &status[0]["sessions"][0];
        let place = &session["destinations"][0];
        let waiting = [&session["untried"], &place["pending"]];
        assert!(waiting.contains(&&json!(1)), "{session}");
        assert!(
            place["delivered"].as_u64().is_none_or(|n| n == 0),
            "{session}"
        );
        stage.collector.heal();
        arrived(&stage, 1);
    }
}

#[test]
fn the_flush_of_one_session_blocks_no_other() {
    let answers = json!([{"match": "", "any": true, "items": [
        {"type": "message", "text": "Yes.", "phase": "final_answer"}]}]);
    let Some(stage) = stage(NEWEST, Scenario::answering(answers)) else {
        return;
    };
    let flushing = ("BRAINTRUST_FLUSH_ON_TURN_END", "true");
    let dead = Collector::start().unwrap();
    dead.inject("/", DOWN);
    let url = dead.url();
    let elsewhere = [flushing, ("BRAINTRUST_API_URL", &*url)];
    let mut waiting = stage.home.spawn_exec(&["First?"], &elsewhere).unwrap();
    let is_asked = |dead: &Collector| !dead.requests().is_empty();
    assert!(dead.wait_until(PATIENCE, is_asked), "{}", stage.logs());

    let other = stage.home.exec("Second?", &[flushing]).unwrap();
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    let rows = stage.collector.rows();
    assert_eq!(turns(&rows).len(), 1, "{}", stage.logs());
    assert_eq!(turns(&rows)[0].fields["input"], json!("Second?"));
    // Each hook waits for twenty seconds, were nothing else to end it: while the first does, the
    // second came and went.
    assert!(!waiting.has_ended(), "nobody waited");

    dead.heal();
    let output = waiting.wait(PATIENCE).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(dead.wait_until(PATIENCE, |dead| ended_turns(dead) == 1));
    let inputs = |row: &Row| row.fields["input"].clone();
    let inputs: Vec<Value> = turns(&dead.rows()).into_iter().map(inputs).collect();
    assert_eq!(inputs, [json!("First?")]);
}

/// A server of ours could be spoken to by any process and any web page.
#[cfg(target_os = "linux")]
#[test]
fn nothing_of_ours_listens_while_a_turn_runs() {
    let Some(stage) = stage(NEWEST, super::live::waiting()) else {
        return;
    };
    let running = stage.home.spawn_exec(&["Wait for me."], &[]).unwrap();
    stage.wait_for("a running tool", |collector| {
        !collector.rows().typed("tool").is_empty()
    });
    let workers = linux::processes_of(&stage.binary().unwrap());
    let looked_at: Vec<_> = workers
        .iter()
        .filter_map(|it| linux::listening(it))
        .collect();
    assert!(!looked_at.is_empty(), "who sent the rows?");
    let none: Vec<String> = Vec::new();
    assert!(looked_at.iter().all(|it| *it == none), "{looked_at:?}");
    std::fs::write(stage.home.app().join("go"), "").unwrap();
    assert_eq!(running.wait(PATIENCE).unwrap().code, Some(0));
    arrived(&stage, 1);
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::ErrorKind;
    use std::path::{Path, PathBuf};

    /// `/proc/<id>` of each process that runs `program`.
    pub(super) fn processes_of(program: &Path) -> Vec<PathBuf> {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.map(|entry| entry.path())
            .filter(|process| {
                let exe = std::fs::read_link(process.join("exe"));
                exe.is_ok_and(|exe| exe == program)
            })
            .collect()
    }

    /// Lines of the kernel's tables about sockets that a process listens on; `None` if it has ended.
    pub(super) fn listening(process: &Path) -> Option<Vec<String>> {
        let descriptors = match std::fs::read_dir(process.join("fd")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            descriptors => descriptors.unwrap(),
        };
        let own: Vec<String> = descriptors
            .flatten()
            .filter_map(|fd| std::fs::read_link(fd.path()).ok())
            .filter_map(|target| {
                let target = target.to_str()?.strip_prefix("socket:[")?;
                Some(target.trim_end_matches(']').to_owned())
            })
            .collect();
        // Column of the state or flags, what it says of one who listens, column of the inode.
        let tables = [
            ("tcp", 3, "0A", 9),
            ("tcp6", 3, "0A", 9),
            ("unix", 3, "00010000", 6),
        ];
        let mut found = Vec::new();
        for (table, state, listens, inode) in tables {
            let text = std::fs::read_to_string(process.join("net").join(table));
            for line in text.unwrap_or_default().lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                let is_own = words
                    .get(inode)
                    .is_some_and(|inode| own.iter().any(|o| o == inode));
                if is_own && words.get(state) == Some(&listens) {
                    found.push(line.to_owned());
                }
            }
        }
        Some(found)
    }
}
