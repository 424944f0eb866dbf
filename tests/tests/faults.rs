//! Delivery of the whole program while everything goes wrong: recorded sessions are fed to the real
//! hook, workers are killed, the collector fails, and what arrives in the end is compared with what
//! arrives undisturbed.
#![cfg(test)]
#![cfg(unix)]

#[path = "faults/addresses.rs"]
mod addresses;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/offline.rs"]
mod offline;
#[path = "faults/surroundings.rs"]
mod surroundings;
#[path = "faults/trace.rs"]
mod trace;
#[path = "faults/unreadable.rs"]
mod unreadable;
