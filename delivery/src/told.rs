//! Turns that hooks told of and a cursor does not have. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::JournalEntry;
use crate::cursor_file::Cursor;
use crate::evidence::thread_of;

/// Turns that the journal names behind `offset` and the cursor does not have.
pub(crate) fn turns_after(
    entries: &[(u64, JournalEntry)],
    offset: u64,
    cursor: Option<&Cursor>,
) -> u64 {
    // By turn: its place in the order of their first hooks, and its thread.
    let mut named: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (place, (_, entry)) in entries.iter().enumerate() {
        if let Some(turn) = entry.turn_id.as_deref()
            && !entry.command
        {
            let thread = entry.agent_id.as_deref().unwrap_or(&entry.session_id);
            named.entry(turn).or_insert((place, thread));
        }
    }
    let settled = cursor.map_or_else(BTreeMap::new, |cursor| settled(cursor, &named));
    let turns: BTreeSet<&str> = entries
        .iter()
        .filter(|(at, _)| *at >= offset)
        .filter_map(|(_, entry)| entry.turn_id.as_deref())
        .filter(|turn| {
            let known = named.get(turn);
            known.is_some_and(|(place, thread)| settled.get(thread).is_none_or(|last| last < place))
        })
        .filter(|turn| !cursor.is_some_and(|cursor| cursor.has_delivered(turn)))
        .collect();
    turns.len() as u64
}

/// By thread: the place of its last settled turn. A cursor remembers few turns by name, and what
/// comes before a settled turn of the same thread is settled too.
fn settled<'a>(
    cursor: &Cursor,
    named: &BTreeMap<&str, (usize, &'a str)>,
) -> BTreeMap<&'a str, usize> {
    let mut last = BTreeMap::new();
    for thread in cursor.threads.values() {
        for (number, turn) in &thread.turns {
            if *number <= thread.settled
                && let Some((place, name)) = named.get(turn.id.as_str())
            {
                let known = last.entry(*name).or_insert(*place);
                *known = (*known).max(*place);
            }
        }
    }
    last
}

/// The entries before `end` that are of thread `root` itself and say where its rollout lies.
pub(crate) fn told_of(
    root: &str,
    entries: Vec<(u64, JournalEntry)>,
    end: u64,
) -> Vec<(u64, JournalEntry)> {
    let is_of_root = |entry: &JournalEntry| {
        let path = entry.transcript_path.as_deref();
        // Most likely nothing came of a command to another product; if it did, other entries tell.
        let is_root = path.and_then(thread_of).as_deref() == Some(root);
        is_root && entry.agent_id.is_none() && !entry.others_command
    };
    let entries = entries.into_iter();
    entries
        .filter(|(at, entry)| *at < end && is_of_root(entry))
        .collect()
}

/// Whether `entries` of the thread `root` tell of turns that are lost to the destination of `cursor` if
/// the rollout is gone. One that joined never was to get what one of the `others` has.
pub(crate) fn are_lost(
    entries: &[(u64, JournalEntry)],
    root: &str,
    cursor: &Cursor,
    others: &[Cursor],
) -> bool {
    let lacks_any = |it: &Cursor| turns_after(entries, it.journal_seen, Some(it)) > 0;
    let has_all = |other: &Cursor| !other.lacks_rollout(root) && !lacks_any(other);
    let has_joined = cursor.joined_after.contains_key(root);
    lacks_any(cursor) && !(has_joined && others.iter().any(has_all))
}
