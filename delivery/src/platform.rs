//! What differs between operating systems: private files, processes, the call to end.
//!
//! Both modules have the same functions; the rest of the crate knows no system.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(all(unix, feature = "failpoints"))]
pub(crate) use unix::die;
#[cfg(unix)]
pub(crate) use unix::{
    close_to_others, detach, handed_over, host, is_open_to_others, liveness, make_private_dir,
    open_flags, spawn_apart, step_back, termination,
};
#[cfg(all(windows, feature = "failpoints"))]
pub(crate) use windows::die;
#[cfg(windows)]
pub(crate) use windows::{
    close_to_others, detach, handed_over, host, is_open_to_others, liveness, make_private_dir,
    open_flags, spawn_apart, step_back, termination,
};
