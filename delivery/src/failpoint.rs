//! Named places where a test may stop the program, as a crash would.
//!
//! Without the feature `failpoints` a place is nothing at all. With it, a test within one process
//! arms a place for its own thread (delivery runs on one thread) and the program panics there; a
//! test of the whole program arms a place for the process, which then kills itself as SIGKILL would
//! or panics with words of the test's choice.

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

/// A place, how often it may still be passed, and what a panic there says.
#[cfg(feature = "failpoints")]
struct Armed {
    place: String,
    skip: u32,
    words: Option<String>,
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
    let armed = Armed {
        place: place.to_owned(),
        skip,
        words: None,
    };
    ARMED.set(Some(armed));
}

/// Disarms whatever was armed; tells whether something still was.
#[cfg(feature = "failpoints")]
pub fn disarm() -> bool {
    ARMED.with_borrow_mut(|armed| armed.take().is_some())
}

/// Makes this process end at a place. `order` is `<place>:<skip>`, the latter as in [`arm`], to be
/// killed there, or `<place>:<skip>:<words>` to panic there with these words; anything else arms
/// nothing and gives `false`.
#[cfg(feature = "failpoints")]
pub fn arm_process(order: &str) -> bool {
    let mut parts = order.splitn(3, ':');
    let armed = parts.next().zip(parts.next()).and_then(|(place, skip)| {
        Some(Armed {
            place: place.to_owned(),
            skip: skip.parse().ok()?,
            words: parts.next().map(str::to_owned),
        })
    });
    let any = armed.is_some();
    *DEADLY.lock().unwrap_or_else(PoisonError::into_inner) = armed;
    any
}

#[cfg(feature = "failpoints")]
#[track_caller]
pub(crate) fn hit(place: &str) {
    let deadly = passes(
        &mut DEADLY.lock().unwrap_or_else(PoisonError::into_inner),
        place,
    );
    match deadly {
        Some(Armed {
            words: Some(words), ..
        }) => panic!("{words}"),
        Some(_) => {
            tracing::error!(place, "fail point");
            crate::platform::die();
        }
        None => {}
    }
    let crash = ARMED.with_borrow_mut(|armed| passes(armed, place));
    assert!(crash.is_none(), "fail point {place}");
}

/// Counts a pass of `place`; gives, once, what was armed for it when its time has come.
#[cfg(feature = "failpoints")]
fn passes(armed: &mut Option<Armed>, place: &str) -> Option<Armed> {
    match armed {
        Some(waiting) if waiting.place == place && waiting.skip > 0 => waiting.skip -= 1,
        Some(waiting) if waiting.place == place => return armed.take(),
        _ => {}
    }
    None
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn hit(_place: &str) {}
