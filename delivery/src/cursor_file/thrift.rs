//! A cursor within the size in which it can be read again. Pure.

use std::io;

use super::{Cursor, ThreadCursor};

/// Calls that gave a thread more to do and are kept where room is short, the latest.
const FOLLOW_UPS_KEPT: usize = 8;

/// What can be done without, the cheapest first. None of it is what was acknowledged: a digest less
/// leaves a late record unnoticed, a carry less costs reading the rollout from its beginning, and an
/// old call less the place of turns that it may still lead to.
const ECONOMIES: [fn(&mut ThreadCursor); 3] = [forget_digests, forget_carry, forget_calls];

/// `cursor` as JSON of at most `limit` bytes. Fails where it cannot be that small: a file that nobody
/// could read again would be no cursor.
pub(super) fn encode(cursor: &Cursor, limit: u64) -> io::Result<Vec<u8>> {
    let fits = |bytes: &[u8]| u64::try_from(bytes.len()).is_ok_and(|bytes| bytes <= limit);
    let whole = serde_json::to_vec(cursor)?;
    if fits(&whole) {
        return Ok(whole);
    }
    let mut lean = cursor.clone();
    for economize in ECONOMIES {
        lean.threads.values_mut().for_each(economize);
        let bytes = serde_json::to_vec(&lean)?;
        if fits(&bytes) {
            return Ok(bytes);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::FileTooLarge,
        "a session of this many threads is more than a cursor can hold",
    ))
}

/// All but the last, and those whose end record is still to come.
fn forget_digests(thread: &mut ThreadCursor) {
    let last = thread.turns.last_key_value().map(|(number, _)| *number);
    let settled = thread.settled;
    thread
        .turns
        .retain(|number, _| *number > settled || Some(*number) == last);
}

fn forget_carry(thread: &mut ThreadCursor) {
    thread.identity = None;
    thread.carry = None;
    thread.read_to = None;
}

fn forget_calls(thread: &mut ThreadCursor) {
    let old = thread.follow_ups.len().saturating_sub(FOLLOW_UPS_KEPT);
    thread.follow_ups.drain(..old);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cursor_file::{CURSOR_VERSION, DeliveredTurn};

    const LIMIT: u64 = 8 << 20;

    /// Of so many threads, each with turns 1 to 8 delivered, the last on a hook's word, and found
    /// below a folder with a name of so many letters.
    fn cursor(threads: u32, letters: usize) -> Cursor {
        let turn = |number: u32| DeliveredTurn {
            id: format!("turn-{number}-{}", "i".repeat(400)),
            digest: "d".repeat(24),
            closed: number == 8,
            cut_off: false,
        };
        let thread = ThreadCursor {
            path: "p".repeat(letters).into(),
            settled: 7,
            read_to: Some(1),
            turns: (1..=8).map(|number| (number, turn(number))).collect(),
            ..ThreadCursor::default()
        };
        Cursor {
            version: CURSOR_VERSION,
            delivered: 7,
            threads: (0..threads)
                .map(|number| (format!("thread-{number}"), thread.clone()))
                .collect(),
            ..Cursor::default()
        }
    }

    #[test]
    fn a_cursor_that_has_room_is_kept_whole() {
        let whole = cursor(20, 100);
        let bytes = encode(&whole, LIMIT).unwrap();
        assert_eq!(Cursor::parse(&bytes), Some(whole));
    }

    #[test]
    fn one_of_very_many_threads_is_written_such_that_it_can_be_read_and_says_what_was_sent() {
        let whole = cursor(3000, 100);
        assert!(serde_json::to_vec(&whole).unwrap().len() as u64 > LIMIT);
        let bytes = encode(&whole, LIMIT).unwrap();
        assert!(bytes.len() as u64 <= LIMIT);
        let lean = Cursor::parse(&bytes).unwrap();
        assert_eq!(lean.delivered, whole.delivered);
        assert_eq!(lean.threads.len(), whole.threads.len());
        for thread in lean.threads.values() {
            assert_eq!(thread.settled, 7);
            assert_eq!(thread.turns.keys().copied().collect::<Vec<_>>(), [8]);
        }
    }

    #[test]
    fn what_nobody_could_read_again_is_not_written() {
        let error = encode(&cursor(3000, 4000), LIMIT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
