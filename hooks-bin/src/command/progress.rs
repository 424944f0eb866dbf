//! How far a flush is: one line on a terminal, nothing elsewhere.
//!
//! A crate for progress bars brings the mathematics library along, which the loader then maps at each
//! start of the hook: a tenth of its time, for a line that people see now and then.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};
use std::rc::Rc;

/// Cells of the bar.
const WIDTH: usize = 30;
/// Back to the line's beginning, and the line empty.
const CLEAR: &str = "\r\x1b[2K";

/// One line on stderr for all that is flushed. Clones draw the same line.
#[derive(Clone)]
pub(crate) struct Progress {
    parts: Rc<RefCell<Vec<Part>>>,
    shown: bool,
}

/// One backend's share.
struct Part {
    name: &'static str,
    done: usize,
    all: usize,
}

/// A place in the line.
pub(crate) struct Bar {
    progress: Progress,
    index: usize,
}

impl Progress {
    /// Draws if stderr is a terminal.
    pub(crate) fn new() -> Self {
        Self {
            parts: Rc::default(),
            shown: std::io::stderr().is_terminal(),
        }
    }

    /// Adds `all` sessions of a backend.
    pub(crate) fn add(&self, name: &'static str, all: usize) -> Bar {
        let index = {
            let mut parts = self.parts.borrow_mut();
            parts.push(Part { name, done: 0, all });
            parts.len() - 1
        };
        self.draw();
        Bar {
            progress: self.clone(),
            index,
        }
    }

    /// Takes the line away while `print` prints.
    pub(crate) fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        self.write(CLEAR);
        let printed = print();
        self.draw();
        printed
    }

    fn draw(&self) {
        self.write(&format!("{CLEAR}{}", line(&self.parts.borrow())));
    }

    /// A terminal that is gone is no reason to deliver nothing.
    fn write(&self, text: &str) {
        if self.shown {
            let mut stderr = std::io::stderr().lock();
            let _ = stderr.write_all(text.as_bytes());
            let _ = stderr.flush();
        }
    }
}

impl Bar {
    /// One session more is done with.
    pub(crate) fn advance(&self) {
        if let Some(part) = self.progress.parts.borrow_mut().get_mut(self.index) {
            part.done += 1;
        }
        self.progress.draw();
    }

    /// All of them are, and need no place in the line any more.
    pub(crate) fn finish(self) {
        if let Some(part) = self.progress.parts.borrow_mut().get_mut(self.index) {
            part.all = 0;
        }
        self.progress.draw();
    }
}

/// All that is not finished; nothing if everything is. Only one has room for a bar: a line that is
/// wider than the terminal could not be taken back.
fn line(parts: &[Part]) -> String {
    let running: Vec<&Part> = parts.iter().filter(|part| part.all > 0).collect();
    let bar = |part: &Part| {
        let filled = (WIDTH * part.done / part.all).min(WIDTH);
        format!("{}{} ", "█".repeat(filled), "░".repeat(WIDTH - filled))
    };
    let is_alone = running.len() == 1;
    let told = running.into_iter().map(|part| {
        let Part { name, done, all } = part;
        let bar = if is_alone { bar(part) } else { String::new() };
        format!("{name} {bar}{done}/{all} sessions")
    });
    told.collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::{Part, line};

    fn part(done: usize, all: usize) -> Part {
        Part {
            name: "langsmith",
            done,
            all,
        }
    }

    #[test]
    fn a_bar_fills_as_sessions_are_done_and_goes_when_all_are() {
        let (third, full) = (line(&[part(1, 3)]), line(&[part(3, 3)]));
        assert!(third.ends_with(" 1/3 sessions") && third.matches('█').count() == 10);
        assert!(full.ends_with(" 3/3 sessions") && !full.contains('░'));
        assert_eq!(line(&[part(7, 0), part(9, 0)]), "");
        let two = line(&[part(1, 2), part(0, 0), part(5, 4)]);
        assert_eq!(two, "langsmith 1/2 sessions  langsmith 5/4 sessions");
    }
}
