//! The ways a backend or the network to it can fail.

use std::time::Duration;

/// What happens to a request instead of, or besides, being taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Not taken; answered with this status and, if given, `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// Taken, but the connection is cut before a byte of the answer.
    DropAfterRead,
    /// Taken and answered, later.
    Delay(Duration),
    /// Taken; the connection is cut in the middle of the answer's body.
    HalfClose,
    /// Bodies with more bytes than this on the wire are not taken: 413. Others are not affected.
    PayloadLimit(usize),
    /// Not taken; answered with 200 and a page for people, as a login or a proxy does.
    Page,
    /// Not taken and never answered; the connection stays open.
    Hang,
}

/// The faults in force, first match first.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    path: String,
    fault: Fault,
    left: Option<usize>,
}

impl Faults {
    /// Adds a fault for paths that begin with `path`, for a number of requests or for good.
    pub(super) fn add(&mut self, path: &str, fault: Fault, times: Option<usize>) {
        self.0.push(Rule {
            path: path.to_owned(),
            fault,
            left: times,
        });
    }

    /// Forgets them all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault that meets a request for `path` with a body of `bytes`, used up by one.
    pub(super) fn meet(&mut self, path: &str, bytes: usize) -> Option<Fault> {
        let rule = self.0.iter_mut().find(|rule| {
            path.starts_with(&rule.path)
                && rule.left != Some(0)
                && !matches!(rule.fault, Fault::PayloadLimit(limit) if bytes <= limit)
        })?;
        if let Some(left) = &mut rule.left {
            *left -= 1;
        }
        Some(rule.fault.clone())
    }
}
