//! Turns on their way to one destination, with the items that stand for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{Item, SendReport};

/// Hashes of acknowledged items that are remembered at most; forgetting one costs a repetition.
const REMEMBERED: usize = 40_000;

/// A turn that leaves the batch when its last item is settled.
#[derive(Debug, Clone)]
pub(crate) struct TurnInBatch {
    pub(crate) thread_id: String,
    pub(crate) number: u32,
    pub(crate) turn_id: String,
    /// Digest of the model; `None` for a turn that is left alone.
    pub(crate) digest: Option<String>,
    /// Its end is a hook's word, not a record.
    pub(crate) closed: bool,
    /// Its end record may still come: the turn is not settled by this delivery.
    pub(crate) provisional: bool,
    /// Codex seemed gone before its end.
    pub(crate) cut_off: bool,
    /// Items not settled yet.
    pub(crate) waiting: BTreeSet<String>,
    /// How many of its items the server refused for good.
    pub(crate) rejected: u64,
    /// What the server said of the last of them.
    pub(crate) words: Option<String>,
}

/// What waits to be sent to one destination.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    turns: Vec<TurnInBatch>,
    items: Vec<Item>,
    by_id: HashMap<String, usize>,
    bytes: usize,
    /// Ids of items that belong to a running turn only: not worth keeping when they fail.
    passing: BTreeSet<String>,
    /// Some of those failed since they were last put together.
    missed: bool,
    sent: HashMap<String, u64>,
}

impl Batch {
    /// Adds a turn and those of its items whose bytes are not acknowledged already.
    pub(crate) fn add(&mut self, mut turn: TurnInBatch, items: Vec<Item>) {
        for item in items {
            if self.is_acknowledged(&item) && !self.by_id.contains_key(&item.id) {
                continue;
            }
            turn.waiting.insert(item.id.clone());
            self.passing.remove(&item.id);
            self.put(item);
        }
        self.turns.push(turn);
    }

    /// Adds items of a running turn, as far as they have changed.
    pub(crate) fn add_passing(&mut self, items: Vec<Item>) {
        self.missed = false;
        for item in items {
            if self.is_acknowledged(&item) {
                continue;
            }
            if !self.by_id.contains_key(&item.id) {
                self.passing.insert(item.id.clone());
            }
            self.put(item);
        }
    }

    /// Whether items of running turns failed and are worth putting together again.
    pub(crate) fn has_missed(&self) -> bool {
        self.missed
    }

    /// The latest bytes of an id win.
    fn put(&mut self, mut item: Item) {
        item.known = self.sent.contains_key(&item.id);
        self.bytes += item.body.len();
        if let Some(known) = self
            .by_id
            .get(&item.id)
            .and_then(|index| self.items.get_mut(*index))
        {
            self.bytes -= known.body.len();
            *known = item;
            return;
        }
        self.by_id.insert(item.id.clone(), self.items.len());
        self.items.push(item);
    }

    fn is_acknowledged(&self, item: &Item) -> bool {
        self.sent.get(&item.id) == Some(&hash(&item.body))
    }

    /// Bytes waiting.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Turns waiting.
    pub(crate) fn turns(&self) -> usize {
        self.turns.len()
    }

    /// Whether turn `number` of a thread waits.
    pub(crate) fn holds(&self, thread_id: &str, number: u32) -> bool {
        self.turns
            .iter()
            .any(|turn| turn.number == number && turn.thread_id == thread_id)
    }

    /// Whether turn `number` of a thread waits as one that was cut off.
    pub(crate) fn holds_cut_off(&self, thread_id: &str, number: u32) -> bool {
        self.turns
            .iter()
            .any(|turn| turn.cut_off && turn.number == number && turn.thread_id == thread_id)
    }

    /// Whether any turn of a thread waits.
    pub(crate) fn holds_any_of(&self, thread_id: &str) -> bool {
        self.turns.iter().any(|turn| turn.thread_id == thread_id)
    }

    /// Whether there is nothing to send or settle.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty() && self.items.is_empty()
    }

    /// Takes the items for sending, and remembers what each was.
    pub(crate) fn take_items(&mut self) -> (Vec<Item>, BTreeMap<String, u64>) {
        let items = std::mem::take(&mut self.items);
        self.by_id.clear();
        self.bytes = 0;
        let hashes = items
            .iter()
            .map(|item| (item.id.clone(), hash(&item.body)))
            .collect();
        (items, hashes)
    }

    /// Takes in what became of the items.
    pub(crate) fn settle(&mut self, report: &mut SendReport, hashes: &BTreeMap<String, u64>) {
        if self.sent.len() > REMEMBERED {
            self.sent.clear();
        }
        for id in &report.acknowledged {
            if let Some(hash) = hashes.get(id) {
                self.sent.insert(id.clone(), *hash);
            }
            for turn in &mut self.turns {
                turn.waiting.remove(id);
            }
        }
        for (id, words) in &report.rejected {
            let mut counts = 1;
            for turn in &mut self.turns {
                if turn.waiting.remove(id) {
                    turn.words = Some(words.clone());
                    // An item that stands for several turns is one item.
                    turn.rejected += std::mem::take(&mut counts);
                }
            }
        }
        self.missed = false;
        for item in std::mem::take(&mut report.unsent) {
            if self.passing.contains(&item.id) {
                self.missed = true;
            } else {
                self.put(item);
            }
        }
        self.passing.clear();
    }

    /// Takes the turns that need nothing more, in order: a turn stays as long as an earlier one of
    /// its thread does, because a cursor has one number per thread.
    pub(crate) fn take_settled(&mut self) -> Vec<TurnInBatch> {
        let mut held: BTreeSet<String> = BTreeSet::new();
        let mut settled = Vec::new();
        for turn in std::mem::take(&mut self.turns) {
            if turn.waiting.is_empty() && !held.contains(&turn.thread_id) {
                settled.push(turn);
            } else {
                held.insert(turn.thread_id.clone());
                self.turns.push(turn);
            }
        }
        settled
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, body: &[u8]) -> Item {
        Item {
            id: id.to_owned(),
            body: body.to_vec(),
            known: false,
        }
    }

    #[test]
    fn items_that_come_again_changed_are_marked_as_known_to_the_destination() {
        let mut batch = Batch::default();
        batch.add_passing(vec![item("a", b"1"), item("b", b"1")]);
        let (items, hashes) = batch.take_items();
        assert!(items.iter().all(|item| !item.known));
        let mut report = SendReport {
            acknowledged: vec!["a".to_owned(), "b".to_owned()],
            ..SendReport::default()
        };
        batch.settle(&mut report, &hashes);
        batch.add_passing(vec![item("a", b"1"), item("b", b"2"), item("c", b"1")]);
        let (items, _) = batch.take_items();
        let known: Vec<_> = items.iter().map(|it| (it.id.as_str(), it.known)).collect();
        assert_eq!(known, [("b", true), ("c", false)]);
    }
}
