//! A home with one session, its rollouts, its journal and destinations in memory.

use std::cell::Cell;
use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use codex_tracing_delivery::testing::{MemoryBackend, Store, Stores};
use codex_tracing_delivery::{
    Course, JournalEntry, Left, Mode, ProcessMark, SessionDir, SessionFlush, SessionLock, StateDir,
    Tempo, WorkerOptions, append_journal, claim, flush_session, run_worker,
};
use codex_tracing_transcript::{Git, Verbatim};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

/// The root thread.
pub(crate) const ROOT: &str = "01a1f885-0000-7000-8000-000000000001";
/// A child thread.
pub(crate) const CHILD: &str = "01a1f885-0000-7000-8000-000000000002";
/// A grandchild.
pub(crate) const GRANDCHILD: &str = "01a1f885-0000-7000-8000-000000000003";

pub(crate) struct Desk {
    dir: TempDir,
    pub session: SessionDir,
    pub state: StateDir,
    pub stores: Stores,
    pub backend: Arc<MemoryBackend>,
    /// Seconds since the session began, on the clock of rollout and journal.
    clock: Rc<Cell<i64>>,
}

impl Desk {
    /// Whether nobody holds the lock. A program that another test is just starting may have it for
    /// a moment, between its fork and its exec.
    pub(crate) fn is_free_soon(&self) -> bool {
        (0..500).any(|_| {
            let free = !SessionLock::is_held(&self.session).unwrap();
            if !free {
                std::thread::sleep(Duration::from_millis(10));
            }
            free
        })
    }

    pub(crate) fn new() -> Self {
        Self::with(&["main"], false)
    }

    pub(crate) fn with(destinations: &[&str], live: bool) -> Self {
        Self::within(scratch(), destinations, live)
    }

    pub(crate) fn within(dir: TempDir, destinations: &[&str], live: bool) -> Self {
        let state = StateDir::at(dir.path().join("state"));
        Self {
            session: state.session(ROOT).unwrap(),
            state,
            stores: Stores::default(),
            backend: Arc::new(MemoryBackend::new(destinations, live)),
            clock: Rc::new(Cell::new(0)),
            dir,
        }
    }

    pub(crate) fn codex_home(&self) -> PathBuf {
        self.dir.path().join("codex")
    }

    /// The next second.
    pub(crate) fn tick(&self) -> Timestamp {
        tick(&self.clock)
    }

    /// The rollout of a session that was forked from another.
    pub(crate) fn forked(&self, thread: &str, origin: &str) -> Rollout {
        let rollout = self.empty_rollout(thread);
        let meta = json!({"id": thread, "timestamp": "2026-11-20T10:00:00Z", "source": "cli",
            "cwd": "/home/dev/app", "cli_version": "0.140.0", "forked_from_id": origin});
        rollout.write("session_meta", &meta);
        rollout
    }

    pub(crate) fn rollout(&self, thread: &str) -> Rollout {
        let rollout = self.empty_rollout(thread);
        let source = if thread != CHILD && thread != GRANDCHILD {
            json!("exec")
        } else {
            json!({"subagent": {"thread_spawn": {"parent_thread_id": ROOT, "depth": 1}}})
        };
        let meta = json!({"id": thread, "timestamp": "2026-11-20T10:00:00Z", "cwd": "/home/dev/app",
            "originator": "codex_exec", "cli_version": "0.169.0", "source": source,
            "base_instructions": {"text": "You are a careful engineer."}});
        rollout.write("session_meta", &meta);
        rollout
    }

    /// The rollout of a subagent that was given the conversation of the root.
    pub(crate) fn informed_child(&self, thread: &str) -> Rollout {
        let rollout = self.empty_rollout(thread);
        let source = json!({"subagent": {"thread_spawn": {"parent_thread_id": ROOT, "depth": 1}}});
        let meta = json!({"id": thread, "timestamp": self.tick().to_string(), "source": source,
            "cwd": "/home/dev/app", "cli_version": "0.169.0", "parent_thread_id": ROOT,
            "forked_from_id": ROOT});
        rollout.write("session_meta", &meta);
        rollout
    }

    /// What the hook of the entry written last tells the worker that it starts.
    pub(crate) fn since(&self) -> u64 {
        std::fs::metadata(self.session.journal_file())
            .unwrap()
            .len()
    }

    fn empty_rollout(&self, thread: &str) -> Rollout {
        let folder = self.codex_home().join("sessions/2026/11/20");
        std::fs::create_dir_all(&folder).unwrap();
        Rollout {
            path: folder.join(format!("rollout-2026-11-20T10-00-00-{thread}.jsonl")),
            clock: Rc::clone(&self.clock),
        }
    }

    /// A hook event in the journal, run by a Codex that lives as long as this test.
    pub(crate) fn hook(&self, event: &str, turn: Option<&str>) -> JournalEntry {
        let mut entry = self.entry(event, turn);
        entry.process = Some(ProcessMark {
            pid: std::process::id().cast_signed(),
            started: None,
        });
        append_journal(&self.session, &entry).unwrap();
        entry
    }

    /// The same, but Codex is gone since.
    pub(crate) fn hook_of_the_dead(&self, event: &str, turn: Option<&str>) {
        let mut entry = self.entry(event, turn);
        entry.process = Some(ProcessMark {
            pid: 4_000_000,
            started: Some(1),
        });
        append_journal(&self.session, &entry).unwrap();
    }

    pub(crate) fn entry(&self, event: &str, turn: Option<&str>) -> JournalEntry {
        let mut entry = JournalEntry::new(event, ROOT, self.tick());
        entry.turn_id = turn.map(ToOwned::to_owned);
        entry.mode = Some(Mode::Full);
        entry
    }

    pub(crate) fn course(&self) -> Course {
        Course {
            backend: Arc::<MemoryBackend>::clone(&self.backend),
            scrub: Arc::new(Verbatim),
            codex_home: self.codex_home(),
            outlets: self.stores.outlets(),
            git: Rc::new(|_| Git::default()),
            missing_mode: Mode::Full,
            settings: None,
            now: || Timestamp::UNIX_EPOCH,
        }
    }

    pub(crate) fn options(&self) -> WorkerOptions {
        self.options_with(self.course())
    }

    pub(crate) fn options_with(&self, course: Course) -> WorkerOptions {
        WorkerOptions {
            session: self.session.clone(),
            course,
            tempo: Tempo::worker(),
            since: None,
        }
    }

    /// Runs a worker until it leaves.
    pub(crate) async fn work(&self) -> Left {
        work(self.options(), std::future::pending()).await
    }

    pub(crate) async fn flush(&self, seconds: u64, close_turn: Option<&str>) -> SessionFlush {
        let deadline = Instant::now() + Duration::from_secs(seconds);
        flush_session(&self.session, &self.course(), deadline, close_turn)
            .await
            .unwrap()
    }

    pub(crate) fn store(&self) -> Rc<std::cell::RefCell<Store>> {
        self.stores.of("main")
    }

    /// Turn ids in the destination, with their status, in order.
    pub(crate) fn delivered(&self, destination: &str) -> Vec<(String, String)> {
        let store = self.stores.of(destination);
        let store = store.borrow();
        let mut turns: Vec<(u64, String, String)> = store
            .items
            .iter()
            .filter(|(id, _)| id.matches('/').count() == 1)
            .map(|(id, body)| {
                let turn = id.rsplit('/').next().unwrap().to_owned();
                let status = body["status"].as_str().unwrap().to_owned();
                (body["number"].as_u64().unwrap(), turn, status)
            })
            .collect();
        turns.sort();
        turns
            .into_iter()
            .map(|(_, turn, status)| (turn, status))
            .collect()
    }

    /// The one item of a turn.
    pub(crate) fn turn(&self, thread: &str, turn: &str) -> Value {
        self.item(&format!("{thread}/{turn}"))
    }

    /// The item of this id.
    pub(crate) fn item(&self, id: &str) -> Value {
        self.store().borrow().items[id].clone()
    }

    /// Checks which turns the main destination has, as `(id, status)`.
    pub(crate) fn check(&self, expected: &[(&str, &str)]) {
        let delivered = self.delivered("main");
        let delivered: Vec<(&str, &str)> = delivered
            .iter()
            .map(|(id, status)| (id.as_str(), status.as_str()))
            .collect();
        assert_eq!(delivered, expected);
    }
}

/// A temporary folder, in memory where that is possible: what these tests would wait for is fsync.
pub(crate) fn scratch() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(dir) = tempfile::tempdir_in(memory)
    {
        return dir;
    }
    tempfile::tempdir().unwrap()
}

pub(crate) struct Rollout {
    pub path: PathBuf,
    clock: Rc<Cell<i64>>,
}

impl Rollout {
    fn write(&self, kind: &str, payload: &Value) {
        let line =
            json!({"timestamp": tick(&self.clock).to_string(), "type": kind, "payload": payload});
        self.raw(&format!("{line}\n"));
    }

    pub(crate) fn raw(&self, text: &str) {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// A turn up to where Codex runs the hooks of its prompt.
    pub(crate) fn open(&self, turn: &str) -> &Self {
        self.write(
            "event_msg",
            &json!({"type": "task_started", "turn_id": turn}),
        );
        let context = json!({"turn_id": turn, "cwd": "/home/dev/app", "model": "gpt-5.5",
            "approval_policy": "never", "sandbox_policy": {"type": "danger-full-access"}});
        self.write("turn_context", &context);
        self
    }

    pub(crate) fn begin(&self, turn: &str) -> &Self {
        self.open(turn).user("Do it.");
        self
    }

    fn user(&self, text: &str) {
        let content = json!([{"type": "input_text", "text": text}]);
        self.write(
            "response_item",
            &json!({"type": "message", "role": "user", "content": content}),
        );
        self.write(
            "event_msg",
            &json!({"type": "user_message", "message": text}),
        );
    }

    pub(crate) fn say(&self, text: &str) -> &Self {
        let content = json!([{"type": "output_text", "text": text}]);
        self.write(
            "response_item",
            &json!({"type": "message", "role": "assistant", "content": content}),
        );
        self
    }

    /// The conversation is replaced by what its user said so far, and a summary.
    pub(crate) fn compact(&self, said: &[&str], summary: &str) -> &Self {
        let message = |text: &&str| {
            json!({"type": "message", "role": "user",
                "content": [{"type": "input_text", "text": text}]})
        };
        let history: Vec<Value> = said.iter().chain([&summary]).map(message).collect();
        self.write(
            "compacted",
            &json!({"message": summary, "replacement_history": history}),
        );
        self
    }

    pub(crate) fn spawn(&self, call: &str, child: &str) -> &Self {
        let call_item = json!({"type": "function_call", "name": "spawn_agent",
            "namespace": "multi_agent_v1", "arguments": "{}", "call_id": call});
        self.write("response_item", &call_item);
        let output = json!({"agent_id": child, "nickname": "Ada"}).to_string();
        let output = json!({"type": "function_call_output", "call_id": call, "output": output});
        self.write("response_item", &output);
        self
    }

    /// A tool call with its output.
    pub(crate) fn run(&self, call: &str, output: &str) -> &Self {
        let call_item = json!({"type": "function_call", "name": "exec_command", "arguments": "{}",
            "call_id": call});
        self.write("response_item", &call_item);
        let output = json!({"type": "function_call_output", "call_id": call, "output": output});
        self.write("response_item", &output);
        self
    }

    /// Gives an agent more to do.
    pub(crate) fn message(&self, call: &str, child: &str) -> &Self {
        let arguments = json!({"id": child, "message": "More."}).to_string();
        let call_item = json!({"type": "function_call", "name": "send_input",
            "namespace": "multi_agent_v1", "arguments": arguments, "call_id": call});
        self.write("response_item", &call_item);
        self
    }

    /// The answer to [`Rollout::message`]: the turn that the agent begins.
    pub(crate) fn submitted(&self, call: &str, turn: &str) -> &Self {
        let output = json!({"submission_id": turn}).to_string();
        let output = json!({"type": "function_call_output", "call_id": call, "output": output});
        self.write("response_item", &output);
        self
    }

    pub(crate) fn end(&self, turn: &str, answer: &str) -> &Self {
        let payload =
            json!({"type": "task_complete", "turn_id": turn, "last_agent_message": answer});
        self.write("event_msg", &payload);
        self
    }

    pub(crate) fn abort(&self, turn: &str) -> &Self {
        let payload = json!({"type": "turn_aborted", "turn_id": turn, "reason": "interrupted"});
        self.write("event_msg", &payload);
        self
    }
}

fn tick(clock: &Cell<i64>) -> Timestamp {
    clock.set(clock.get() + 1);
    "2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(clock.get())
}

/// What a started worker does: takes the lock, or leaves.
pub(crate) async fn work(options: WorkerOptions, stop: impl Future<Output = ()>) -> Left {
    work_as(options, false, stop).await
}

/// The same; with `succeeds` as one of a new Codex process.
pub(crate) async fn work_as(
    options: WorkerOptions,
    succeeds: bool,
    stop: impl Future<Output = ()>,
) -> Left {
    match claim(&options.session, succeeds).await.unwrap() {
        Some(held) => run_worker(held, options, stop).await.unwrap(),
        None => Left::AlreadyRunning,
    }
}
