//! Longer and further sessions made from a recorded one.

use regex::{Captures, Regex};

use super::recording::{Hook, Recording, Rollout};

/// What to make of a recorded session of one thread and one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enlarged {
    /// Tells sessions made from one recording apart.
    pub number: u32,
    /// How often its turn is repeated, each time with ids of its own.
    pub turns: u32,
    /// Bytes that each tool output is filled up to; 0 leaves them alone.
    pub output_bytes: usize,
    /// After so many turns the conversation is compacted; 0 for never.
    pub turns_per_context: u32,
}

const COMPACTED: &str =
    r#""type":"compacted","payload":{"message":"Short.","replacement_history":[]}"#;

impl Recording {
    /// The session, enlarged. Times stay those of the recording.
    pub(super) fn enlarged(&self, how: Enlarged) -> Self {
        let names = Names::new(self, how.number);
        let rollouts = self.rollouts.iter();
        let rollouts = rollouts.map(|rollout| enlarged_rollout(rollout, &names, how));
        let turn_lines = self.rollouts.first().map_or(0, |rollout| {
            rollout.lines.len() - head_of(rollout) + usize::from(how.turns_per_context == 1)
        });
        let mut hooks = Vec::new();
        for turn in 0..how.turns {
            for hook in &self.hooks {
                let once = match hook.event.as_str() {
                    "SessionStart" => turn == 0,
                    "SessionEnd" => turn + 1 == how.turns,
                    _ => true,
                };
                if once {
                    let compactions = turn.checked_div(how.turns_per_context).unwrap_or(0);
                    let before = turn_lines * turn as usize + compactions as usize;
                    hooks.push(enlarged_hook(hook, &names, turn, before));
                }
            }
        }
        Self {
            hooks,
            rollouts: rollouts.collect(),
        }
    }
}

/// Where the first turn begins.
fn head_of(rollout: &Rollout) -> usize {
    let begins = |line: &String| line.contains(r#""task_started""#);
    rollout.lines.iter().position(begins).unwrap_or(0)
}

fn enlarged_rollout(rollout: &Rollout, names: &Names, how: Enlarged) -> Rollout {
    let (head, turn) = rollout.lines.split_at(head_of(rollout));
    let head = head.iter().map(|line| names.rename(line, None));
    let mut lines: Vec<String> = head.collect();
    for number in 0..how.turns {
        for line in turn {
            lines.push(filled(names.rename(line, Some(number)), how.output_bytes));
        }
        if how.turns_per_context > 0 && (number + 1) % how.turns_per_context == 0 {
            let at = rollout.times.last().copied().unwrap_or_default();
            lines.push(format!("{{\"timestamp\":\"{at}\",{COMPACTED}}}\n"));
        }
    }
    let name = rollout.path.file_name().unwrap_or_default();
    let name = names.rename(&name.to_string_lossy(), None);
    let last = rollout.times.last().copied().unwrap_or_default();
    let mut times = rollout.times.clone();
    times.resize(lines.len(), last);
    Rollout {
        path: rollout.path.with_file_name(name),
        lines,
        times,
    }
}

fn enlarged_hook(hook: &Hook, names: &Names, turn: u32, before: usize) -> Hook {
    let stdin = names.rename(&hook.stdin.to_string(), Some(turn));
    let transcript = hook.transcript.as_ref();
    let transcript = transcript.map(|path| names.rename(&path.to_string_lossy(), None).into());
    Hook {
        stdin: serde_json::from_str(&stdin).unwrap_or_default(),
        transcript,
        lines: hook.lines + before,
        ..hook.clone()
    }
}

/// A line whose tool output, if it has one, is longer.
fn filled(line: String, bytes: usize) -> String {
    let Some(missing) = bytes.checked_sub(line.len()) else {
        return line;
    };
    if !line.contains(r#""type":"function_call_output""#) {
        return line;
    }
    let words = "The quick brown fox reads line after line. ";
    let filling: String = words.chars().cycle().take(missing).collect();
    line.replacen(r#""output":""#, &format!(r#""output":"{filling}"#), 1)
}

/// New ids for old.
struct Names {
    uuid: Option<Regex>,
    threads: Vec<String>,
    number: u32,
}

impl Names {
    fn new(recording: &Recording, number: u32) -> Self {
        let session = |hook: &Hook| Some(hook.stdin.get("session_id")?.as_str()?.to_owned());
        Self {
            uuid: Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}").ok(),
            threads: recording.hooks.iter().filter_map(session).collect(),
            number,
        }
    }

    /// Threads are renamed by session, everything else by turn too; the time in an id stays.
    fn rename(&self, text: &str, turn: Option<u32>) -> String {
        let renamed = |found: &Captures<'_>| {
            let id = found.get(0).map_or("", |whole| whole.as_str());
            let turn = turn.filter(|_| !self.threads.iter().any(|thread| thread == id));
            let kept = id.get(..24).unwrap_or_default();
            let tail = id.get(32..).unwrap_or_default();
            let mark = turn.map_or(0, |turn| turn + 1);
            format!("{kept}{:04x}{mark:04x}{tail}", self.number & 0xffff)
        };
        match &self.uuid {
            Some(uuid) => uuid.replace_all(text, renamed).into_owned(),
            None => text.to_owned(),
        }
    }
}
