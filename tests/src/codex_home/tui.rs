//! Codex's terminal interface, driven through tmux.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use codex_tracing_codex_home::CodexVersion;

use super::CodexHome;
use crate::scenario::Keys;
use crate::surroundings;

/// What the screen shows once Codex has ended.
pub const ENDED: &str = "(Codex has ended)";
/// How long a text on the screen is waited for.
const PATIENCE: Duration = Duration::from_mins(4);
/// What stands before the line where prompts are typed.
const PROMPT: &str = "›";
/// What the screen shows as long as a turn runs, after the seconds that it has taken.
const BUSY: &str = "• esc to interrupt)";
/// How long the screen shows the same until Codex waits for keys.
const STILL: Duration = Duration::from_secs(2);
/// What types faster than this is taken for a paste, in which Enter begins another line.
const PAUSE: Duration = Duration::from_millis(700);
/// Tells the servers of one process apart.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Whether the terminal interface can be driven here.
pub(super) fn available() -> bool {
    surroundings::program("tmux").is_some()
}

/// A tmux server of its own, ended when dropped.
struct Tmux {
    socket: String,
}

impl CodexHome {
    /// Whether [`CodexHome::tui`] can work here: it needs tmux.
    pub fn can_tui() -> bool {
        available()
    }

    /// Starts the terminal interface (without its background daemon), types `keys`, ends it, and
    /// gives what the screen showed before the end.
    pub fn tui(&self, keys: &[Keys], env: &[(&str, &str)]) -> anyhow::Result<String> {
        let separate = self.codex(&["--help"], &[])?.stdout.contains("--no-daemon");
        self.drive(keys, env, separate.then_some("--no-daemon"))
    }

    /// As [`CodexHome::tui`], with the background daemon where this Codex has one. The daemon is
    /// stopped by `stop_daemon`.
    pub fn tui_with_daemon(&self, keys: &[Keys], env: &[(&str, &str)]) -> anyhow::Result<String> {
        self.drive(keys, env, None)
    }

    /// Stops the background daemon of this sandbox.
    pub fn stop_daemon(&self) -> anyhow::Result<()> {
        let output = self.codex(&["app-server", "daemon", "stop"], &[])?;
        if output.code != Some(0) {
            bail!("the daemon was not stopped: {}", output.stderr.trim());
        }
        Ok(())
    }

    fn drive(
        &self,
        keys: &[Keys],
        env: &[(&str, &str)],
        flag: Option<&str>,
    ) -> anyhow::Result<String> {
        if !available() {
            bail!("tmux is not installed");
        }
        let program = self.cli().program().display().to_string();
        let mut words = vec!["env".to_owned(), "-i".to_owned()];
        let extra = env.iter().map(|(name, value)| format!("{name}={value}"));
        let own = self
            .env()
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        words.extend(own.chain(extra));
        words.push(program);
        words.push("--dangerously-bypass-approvals-and-sandbox".to_owned());
        if self.cli().version() >= CodexVersion::minor(131) {
            words.push("--dangerously-bypass-hook-trust".to_owned());
        }
        words.extend(flag.map(str::to_owned));
        let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
        // The shell stays so that the last screen can still be read.
        let line = format!("{}; echo {}; sleep 600", quoted.join(" "), quote(ENDED));
        let tmux = Tmux {
            // Tests of one process run at once.
            socket: format!(
                "codex-tracing-{}-{}",
                std::process::id(),
                NUMBER.fetch_add(1, Ordering::Relaxed)
            ),
        };
        let app = self.app().display().to_string();
        tmux.run(&[
            "new-session",
            "-d",
            "-s",
            "codex",
            "-x",
            "140",
            "-y",
            "45",
            "-c",
            &app,
            &line,
        ])?;
        tmux.wait_for(PROMPT)?;
        let mut screen = tmux.wait_until_still()?;
        for key in keys {
            if let Some(text) = &key.text {
                tmux.run(&["send-keys", "-t", "codex", "-l", text])?;
                // As much of it as stands on one line.
                tmux.wait_for(&text.chars().take(60).collect::<String>())?;
                sleep(PAUSE);
                tmux.run(&["send-keys", "-t", "codex", "Enter"])?;
            } else if let Some(name) = &key.key {
                tmux.run(&["send-keys", "-t", "codex", name])?;
            }
            screen = if let Some(text) = &key.until {
                tmux.wait_for(text)?
            } else {
                sleep(Duration::from_secs_f64(key.wait.unwrap_or(2.0)));
                tmux.screen()?
            };
            if key.ended {
                screen = self.wait_for_the_turns_end(&tmux)?;
            }
        }
        Ok(screen)
    }

    /// The screen once Codex has recorded the end of its turn and waits for keys: before that it takes
    /// what is typed for a part of the turn. The screen alone does not tell: it stands still wherever
    /// the machine is busy.
    fn wait_for_the_turns_end(&self, tmux: &Tmux) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        while self.has_running_turn() {
            if Instant::now() >= until {
                bail!("the turn does not end:\n{}", tmux.screen()?);
            }
            sleep(Duration::from_millis(100));
        }
        loop {
            let screen = tmux.wait_until_still()?;
            if !screen.contains(BUSY) {
                return Ok(screen);
            }
            if Instant::now() >= until {
                bail!("Codex still calls itself busy:\n{screen}");
            }
        }
    }
}

impl Tmux {
    /// What the screen shows.
    fn screen(&self) -> anyhow::Result<String> {
        self.run(&["capture-pane", "-p", "-t", "codex"])
    }

    /// The screen once it shows `text`; an error with what it shows after [`PATIENCE`].
    fn wait_for(&self, text: &str) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen()?;
            if screen.contains(text) {
                return Ok(screen);
            }
            if Instant::now() >= until {
                bail!("the screen never shows {text:?}:\n{screen}");
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// The screen once it has shown the same for a while, or as it is after [`PATIENCE`].
    fn wait_until_still(&self) -> anyhow::Result<String> {
        let until = Instant::now() + PATIENCE;
        let mut screen = self.screen()?;
        let mut since = Instant::now();
        while since.elapsed() < STILL && Instant::now() < until {
            sleep(Duration::from_millis(100));
            let now = self.screen()?;
            if now != screen {
                screen = now;
                since = Instant::now();
            }
        }
        Ok(screen)
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("tmux")
            .args(["-L", &self.socket, "-f", "/dev/null"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("cannot run tmux")?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            bail!("tmux {arguments:?} failed: {reason}");
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.run(&["kill-server"]);
    }
}

/// A word for a POSIX shell.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
