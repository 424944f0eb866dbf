//! A home with the built binary's state, a recorded session, and a collector.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use codex_tracing_tests::{
    Collector, Content, PATIENCE, binary, binary_in, bundles_with_fail_points, corpus,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The user's key of LangSmith: in no file, no output and no body.
pub(crate) const KEY: &str = "lsv2_pt_11112222333344445555666677778888";

/// A session of Codex's on disk.
pub(crate) struct Recorded {
    pub(crate) session: String,
    pub(crate) turn: String,
    pub(crate) rollout: PathBuf,
}

/// Where Codex keeps sessions.
pub(crate) const SESSIONS: &str = ".codex/sessions/2026/01/02";

/// Where Codex has the plugin keep its data.
pub(crate) const DATA: &str = ".codex/plugins/data/tracing-langsmith-codex-plugins";

/// Somewhere to be attacked.
pub(crate) struct Sandbox {
    folder: TempDir,
    program: PathBuf,
    pub(crate) collector: Collector,
    env: Vec<(String, String)>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::of(binary().unwrap())
    }

    /// With a program that ends where `CODEX_TRACING_FAIL_AT` says.
    pub(crate) fn with_fail_points() -> Self {
        Self::of(binary_in(&bundles_with_fail_points().unwrap()))
    }

    fn of(program: PathBuf) -> Self {
        let folder = TempDir::new().unwrap();
        let collector = Collector::start().unwrap();
        let mut sandbox = Self {
            folder,
            program,
            env: Vec::new(),
            collector,
        };
        for below in ["app", DATA, SESSIONS] {
            fs::create_dir_all(sandbox.path(below)).unwrap();
        }
        let url = sandbox.collector.url();
        let home = sandbox.path("");
        for (name, value) in [
            ("HOME", home.to_str().unwrap()),
            ("TRACE_TO_LANGSMITH", "true"),
            ("LANGSMITH_CODEX_API_KEY", KEY),
            ("LANGSMITH_CODEX_ENDPOINT", &url),
        ] {
            sandbox.set_env(name, value);
        }
        sandbox
    }

    pub(crate) fn set_env(&mut self, name: &str, value: &str) {
        self.env.retain(|(set, _)| set != name);
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// A path below the home, which is canonical.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A recorded session of one turn in a folder.
    pub(crate) fn recorded_in(&self, folder: &str) -> Recorded {
        let recording = corpus("0.169.0", "failing-tool");
        let rollout = fs::read_dir(recording)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                path.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with("rollout-")
            })
            .unwrap();
        let text = fs::read_to_string(&rollout).unwrap();
        let head: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let turn = lines
            .map(|line| line["payload"]["turn_id"].clone())
            .find_map(|id| id.as_str().map(str::to_owned));
        let name = rollout.file_name().unwrap().to_str().unwrap();
        Recorded {
            session: head["payload"]["id"].as_str().unwrap().to_owned(),
            turn: turn.unwrap(),
            rollout: self.write(&format!("{folder}/{name}"), &text),
        }
    }

    /// The binary with these arguments and this input, under umask 000.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "umask 000; exec \"$0\" \"$@\""])
            .arg(&self.program)
            .args(arguments)
            .env_clear()
            .envs(self.env.iter().cloned())
            .current_dir(self.path("app"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Only hooks, and through them workers, are told by Codex where their data is.
        if let Some(&"hook" | &"worker") = arguments.first() {
            command.env("PLUGIN_DATA", self.path(DATA));
        }
        let mut child = command.spawn().unwrap();
        // Whoever refuses its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// A hook of LangSmith's with this input, which must succeed and print nothing on stdout.
    pub(crate) fn hook(&self, input: &[u8]) -> Output {
        let output = self.run(&["hook", "langsmith"], input);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        output
    }

    /// The hooks of a turn with these ids and this transcript.
    pub(crate) fn turn(&self, session: &str, turn: &str, transcript: &str) {
        for event in ["SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"] {
            let input = json!({
                "hook_event_name": event, "session_id": session, "turn_id": turn, "prompt": "p",
                "transcript_path": transcript, "cwd": self.path("app"),
            });
            self.hook(input.to_string().as_bytes());
        }
    }

    /// `flush`, whatever comes of it.
    pub(crate) fn flush(&self) -> Output {
        self.run(&["flush", "--timeout", "3m"], b"")
    }

    /// Everything that was sent, as text.
    pub(crate) fn sent(&self) -> String {
        let mut text = String::new();
        for request in self.collector.requests() {
            match &request.content {
                Content::Parts(parts) => {
                    for part in parts {
                        text += &String::from_utf8_lossy(&part.body);
                    }
                }
                other => text.extend([format!("{other:?}")]),
            }
        }
        text
    }

    /// Every file below the home with its content.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        walkdir::WalkDir::new(self.path(""))
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| (entry.path().to_owned(), fs::read(entry.path()).unwrap()))
            .collect()
    }

    /// Waits until no worker is left and the lock of every session is free.
    pub(crate) fn settled(&self) {
        let until = Instant::now() + PATIENCE;
        let is_busy = || {
            let status = self.run(&["status", "--json"], b"");
            let status: Value = serde_json::from_slice(&status.stdout).unwrap();
            status.to_string().contains("\"worker\":true")
        };
        while is_busy() {
            assert!(Instant::now() < until, "a worker stays");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // A worker whose folder is gone would leave anyway; this only keeps the log quiet.
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

/// Whether a file holds this text.
pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

/// Permission bits.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}
