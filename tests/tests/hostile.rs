//! Hostile hooks and hostile state, with the real binary: what they name is not read, what they
//! point to is not written.
#![cfg(all(test, unix))]

mod hostile {
    mod commands;
    mod names;
    mod sandbox;
    mod state;
}
