//! What is left of a panic: where it happened, never what it said.
//!
//! A panic's message may quote the text that was being handled, which is somebody's conversation or
//! key. So neither stderr nor the log gets it, nor a backtrace; the place in the sources is enough to
//! look for the mistake, and it is one of ours whatever the text was.

use std::io::Write as _;
use std::panic::{self, PanicHookInfo};

/// From now on a panic tells its place to stderr and to the log, where there is one, and no more.
pub(crate) fn tell_only_where() {
    panic::set_hook(Box::new(|panic| {
        let place = place(panic);
        tracing::error!(%place, "internal error");
        let _ = writeln!(
            std::io::stderr(),
            "codex-tracing: internal error at {place}; please report it"
        );
    }));
}

fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(
        || "an unknown place".to_owned(),
        |location| format!("{}:{}", location.file(), location.line()),
    )
}
