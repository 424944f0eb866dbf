//! Named places where a test may stop the program, as a crash would.
//!
//! Without the feature `failpoints` a place is nothing at all. With it, a test arms a place for
//! its own thread (delivery runs on one thread) and the program panics there.

#[cfg(feature = "failpoints")]
use std::cell::RefCell;

#[cfg(feature = "failpoints")]
thread_local! {
    static ARMED: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

/// Every place there is, in the order a delivery passes them.
#[cfg(feature = "failpoints")]
pub const FAIL_POINTS: &[&str] = &[
    "before_send",
    "after_ack",
    "before_cursor",
    "after_cursor",
    "before_leave",
];

/// Makes this thread panic when it passes `place` for the (`skip` + 1)-th time.
#[cfg(feature = "failpoints")]
pub fn arm(place: &str, skip: u32) {
    ARMED.with_borrow_mut(|armed| *armed = Some((place.to_owned(), skip)));
}

/// Disarms whatever was armed; tells whether something still was.
#[cfg(feature = "failpoints")]
pub fn disarm() -> bool {
    ARMED.with_borrow_mut(|armed| armed.take().is_some())
}

#[cfg(feature = "failpoints")]
pub(crate) fn hit(place: &str) {
    let crash = ARMED.with_borrow_mut(|armed| match armed {
        Some((name, 0)) if name == place => {
            *armed = None;
            true
        }
        Some((name, skip)) if name == place => {
            *skip -= 1;
            false
        }
        _ => false,
    });
    assert!(!crash, "fail point {place}");
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn hit(_place: &str) {}
