//! A session as a tree in the terminal: pure, from the model to a text.
//!
//! What a line cannot hold is cut with `…`; times are those since the session began. Colours are
//! only what [`Look::color`] asks for. Control characters never reach the terminal.

mod paint;
mod parts;

use codex_tracing_transcript::{Rollout, Session, Subagent, ToolCall, Turn};

use self::paint::{Line, Tone};

/// How the tree is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Columns of the terminal.
    pub(crate) width: usize,
    /// Whether to write ANSI colours.
    pub(crate) color: bool,
}

/// The tree of a session. `threads` holds the root thread first and its subagents' threads in any
/// order; a thread that no turn claims follows at the end. `muted` has for each of them the backends
/// that get its next turn without content.
pub(crate) fn render(threads: &[Rollout], muted: &[Vec<&str>], look: Look) -> String {
    let zero = threads
        .iter()
        .filter_map(|thread| thread.session.as_ref())
        .map(|session| session.started_at.as_millisecond())
        .min();
    let mut tree = Tree {
        threads,
        muted,
        drawn: vec![false; threads.len()],
        zero: zero.unwrap_or(0),
        look,
        out: String::new(),
    };
    for index in 0..threads.len() {
        tree.thread(index, &mut Vec::new(), None);
    }
    tree.out
}

struct Tree<'t> {
    threads: &'t [Rollout],
    muted: &'t [Vec<&'t str>],
    drawn: Vec<bool>,
    zero: i64,
    look: Look,
    out: String,
}

/// The guides in front of a line: whether each level goes on below it.
type Guides = Vec<bool>;

/// What hangs below a turn, by time.
enum Child<'t> {
    Line(Line),
    Tool(&'t ToolCall, &'t Turn),
    Thread(&'t Subagent),
}

impl<'t> Tree<'t> {
    fn thread(&mut self, index: usize, guides: &mut Guides, spawned: Option<&Subagent>) {
        let Some(thread) = self.threads.get(index) else {
            return;
        };
        match self.drawn.get_mut(index) {
            Some(drawn) if !*drawn => *drawn = true,
            _ => return,
        }
        let muted = self.muted.get(index).map_or(&[][..], Vec::as_slice);
        self.line(&parts::thread(thread, spawned, muted), guides);
        let count = thread.turns.len();
        for (position, turn) in thread.turns.iter().enumerate() {
            guides.push(position + 1 < count);
            self.turn(turn, guides);
            guides.pop();
        }
    }

    fn turn(&mut self, turn: &'t Turn, guides: &mut Guides) {
        self.line(&parts::turn(turn, self.zero), guides);
        let mut children: Vec<(i64, Child<'t>)> = Vec::new();
        let begun = turn.window.started_at.as_millisecond();
        children.extend(parts::prompt(turn).map(|text| (begun, Child::Line(text))));
        for call in &turn.calls {
            let at = call.window.started_at.as_millisecond();
            for line in parts::call(call, self.zero) {
                children.push((at, Child::Line(line)));
            }
        }
        for compaction in &turn.compactions {
            let at = compaction.window.started_at.as_millisecond();
            children.push((at, Child::Line(parts::compaction(compaction, self.zero))));
        }
        for tool in turn.tools.iter().filter(|tool| tool.parent.is_none()) {
            children.push((
                tool.window.started_at.as_millisecond(),
                Child::Tool(tool, turn),
            ));
        }
        for agent in turn
            .subagents
            .iter()
            .filter(|agent| agent.spawned_by.is_none())
        {
            children.push((agent.spawned_at.as_millisecond(), Child::Thread(agent)));
        }
        children.sort_by_key(|child| child.0);
        let last = parts::end(turn).into_iter().map(Child::Line);
        let children: Vec<Child<'t>> = children
            .into_iter()
            .map(|child| child.1)
            .chain(last)
            .collect();
        self.children(children, guides);
    }

    fn children(&mut self, children: Vec<Child<'t>>, guides: &mut Guides) {
        let count = children.len();
        for (position, child) in children.into_iter().enumerate() {
            guides.push(position + 1 < count);
            match child {
                Child::Line(line) => self.line(&line, guides),
                Child::Tool(tool, turn) => self.tool(tool, turn, guides),
                Child::Thread(agent) => self.agent(agent, guides),
            }
            guides.pop();
        }
    }

    fn tool(&mut self, tool: &'t ToolCall, turn: &'t Turn, guides: &mut Guides) {
        self.line(&parts::tool(tool, self.zero), guides);
        let nested = turn
            .tools
            .iter()
            .filter(|nested| nested.parent.as_deref() == Some(tool.id.as_str()))
            .map(|nested| Child::Tool(nested, turn));
        let error = parts::tool_error(tool).map(Child::Line);
        let agents = turn
            .subagents
            .iter()
            .filter(|agent| agent.spawned_by.as_deref() == Some(tool.id.as_str()))
            .map(Child::Thread);
        self.children(
            error.into_iter().chain(nested).chain(agents).collect(),
            guides,
        );
    }

    fn agent(&mut self, agent: &'t Subagent, guides: &mut Guides) {
        let is_child = |session: &Session| session.thread_id == agent.thread_id;
        let index = self
            .threads
            .iter()
            .position(|thread| thread.session.as_ref().is_some_and(is_child));
        if let Some(index) = index {
            self.thread(index, guides, Some(agent));
            return;
        }
        let mut line = Line::default();
        line.push(Tone::Name, parts::agent_name(agent));
        line.push(Tone::Faint, "(its rollout was not found)");
        self.line(&line, guides);
    }

    fn line(&mut self, line: &Line, guides: &[bool]) {
        let mut prefix = String::new();
        if let Some((last, above)) = guides.split_last() {
            for goes_on in above {
                prefix.push_str(if *goes_on { "│  " } else { "   " });
            }
            prefix.push_str(if *last { "├─ " } else { "└─ " });
        }
        line.write(&mut self.out, &prefix, self.look);
    }
}

#[cfg(test)]
mod tests;
