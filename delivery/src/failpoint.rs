//! Named places where a test may stop the program, as a crash would.
//!
//! Without the feature `failpoints` a place is nothing at all. With it, a test within one process
//! arms a place for its own thread (delivery runs on one thread) and the program panics there; a
//! test of the whole program arms a place for the process, which then kills itself as SIGKILL would.

#[cfg(feature = "failpoints")]
use std::cell::RefCell;
#[cfg(feature = "failpoints")]
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "failpoints")]
thread_local! {
    static ARMED: RefCell<Option<Armed>> = const { RefCell::new(None) };
}

#[cfg(feature = "failpoints")]
static DEADLY: Mutex<Option<Armed>> = Mutex::new(None);

/// A place, and how often it may still be passed.
#[cfg(feature = "failpoints")]
struct Armed {
    place: String,
    skip: u32,
}

/// Every place that a delivery passes whatever its outlet, in that order.
#[cfg(feature = "failpoints")]
pub const FAIL_POINTS: &[&str] = &[
    "locked",
    "journal_read",
    "before_send",
    "after_ack",
    "before_cursor",
    "in_replace",
    "after_cursor",
    "before_leave",
];

/// The places that only requests over HTTP pass.
#[cfg(feature = "failpoints")]
pub const REQUEST_FAIL_POINTS: &[&str] = &["before_request", "after_answer"];

/// The places that only a hook passes: around its journal line.
#[cfg(feature = "failpoints")]
pub const HOOK_FAIL_POINTS: &[&str] = &["before_journal", "after_journal"];

/// Makes this thread panic when it passes `place` for the (`skip` + 1)-th time.
#[cfg(feature = "failpoints")]
pub fn arm(place: &str, skip: u32) {
    let place = place.to_owned();
    ARMED.with_borrow_mut(|armed| *armed = Some(Armed { place, skip }));
}

/// Disarms whatever was armed; tells whether something still was.
#[cfg(feature = "failpoints")]
pub fn disarm() -> bool {
    ARMED.with_borrow_mut(|armed| armed.take().is_some())
}

/// Makes this process kill itself at a place. `words` are `<place>:<skip>`, the latter as in
/// [`arm`]; anything else arms nothing and gives `false`.
#[cfg(feature = "failpoints")]
pub fn arm_process(words: &str) -> bool {
    let armed = words.split_once(':').and_then(|(place, skip)| {
        let place = place.to_owned();
        let skip = skip.parse().ok()?;
        Some(Armed { place, skip })
    });
    let any = armed.is_some();
    *DEADLY.lock().unwrap_or_else(PoisonError::into_inner) = armed;
    any
}

#[cfg(feature = "failpoints")]
pub(crate) fn hit(place: &str) {
    let dies = passes(
        &mut DEADLY.lock().unwrap_or_else(PoisonError::into_inner),
        place,
    );
    if dies {
        tracing::error!(place, "fail point");
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
    let crash = ARMED.with_borrow_mut(|armed| passes(armed, place));
    assert!(!crash, "fail point {place}");
}

/// Counts a pass of `place`; tells, once, that it was the one waited for.
#[cfg(feature = "failpoints")]
fn passes(armed: &mut Option<Armed>, place: &str) -> bool {
    match armed {
        Some(waiting) if waiting.place == place && waiting.skip > 0 => waiting.skip -= 1,
        Some(waiting) if waiting.place == place => {
            *armed = None;
            return true;
        }
        _ => {}
    }
    false
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn hit(_place: &str) {}
