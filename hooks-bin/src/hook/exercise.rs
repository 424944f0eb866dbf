//! Any bytes as a hook's input: total, and it does not matter how they arrive. Shared by the fuzz
//! target and the bounded test.

use std::io::{self, Read};

use super::event::HookEvent;
use super::wire::parse;

/// Parses `bytes` whole and in drops; both agree, and an error repeats nothing.
pub(crate) fn exercise(bytes: &[u8]) {
    let whole = parse(bytes);
    let drops = parse(Drops(bytes));
    assert_eq!(whole.is_ok(), drops.is_ok());
    match whole {
        Ok(parsed) => {
            if let Some(event) = HookEvent::from_wire(parsed.input) {
                assert!(!event.session_id.is_empty());
                assert_eq!(
                    Some(event.kind.name()),
                    event.input.hook_event_name.as_deref()
                );
            }
        }
        Err(error) => assert!(error.to_string().len() < 100, "{error}"),
    }
}

/// A pipe that gives a byte at a time, and is interrupted now and then.
struct Drops<'b>(&'b [u8]);

impl Read for Drops<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let some = into.len().min(1 + self.0.len() % 7);
        let (into, _) = into.split_at_mut(some);
        self.0.read(into)
    }
}
