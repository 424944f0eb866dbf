//! What is still to be sent, cut into batches. Pure.

use std::collections::VecDeque;

use crate::{Item, Limits, SendReport};

use super::shrink::shrink;

/// A single item that is refused as too large is not shrunk below this.
const SMALLEST_ITEM: usize = 1024;

/// Items in their order; those at the front may be bound to go in groups.
pub(super) struct Outbox {
    /// Parts of batches that were split, first to go first; none is empty.
    groups: VecDeque<VecDeque<Item>>,
    /// Everything behind them, in order.
    rest: VecDeque<Item>,
    /// Batches of more bytes were found too large in this run.
    batch_bytes: usize,
}

impl Outbox {
    pub(super) fn new(items: Vec<Item>) -> Self {
        Self {
            groups: VecDeque::new(),
            rest: items.into(),
            batch_bytes: usize::MAX,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.rest.is_empty()
    }

    /// The next batch within `limits`, never empty. An item too large for any batch is shrunk
    /// first; one that cannot be is rejected here. `None`: nothing is left.
    pub(super) fn next_batch(
        &mut self,
        limits: Limits,
        report: &mut SendReport,
    ) -> Option<Vec<Item>> {
        while !self.is_empty() {
            let batch = if let Some(mut group) = self.groups.pop_front() {
                let batch = fill(&mut group, limits, limits.bytes, report);
                self.push_group(group);
                batch
            } else {
                let bytes = limits.bytes.min(self.batch_bytes);
                fill(&mut self.rest, limits, bytes, report)
            };
            // Else everything looked at was rejected; there may be more behind it.
            if !batch.is_empty() {
                return Some(batch);
            }
        }
        None
    }

    /// Puts a batch back where it came from.
    pub(super) fn put_back(&mut self, batch: Vec<Item>) {
        self.push_group(batch.into());
    }

    /// The server found `batch` too large: halves it, or shrinks its only item by half.
    pub(super) fn split(&mut self, mut batch: Vec<Item>, report: &mut SendReport) {
        let bytes = batch.iter().map(|item| item.body.len()).sum::<usize>();
        if batch.len() > 1 {
            // Later batches need not run into the same wall.
            self.batch_bytes = self.batch_bytes.min(bytes / 2);
            self.halve(batch);
            return;
        }
        let Some(item) = batch.pop() else {
            return;
        };
        let smaller = (bytes / 2 >= SMALLEST_ITEM)
            .then(|| shrink(&item, bytes / 2))
            .flatten();
        if let Some(smaller) = smaller {
            note_shrunk(&smaller, report);
            self.put_back(vec![smaller]);
        } else {
            let words =
                format!("the server finds {bytes} bytes too large, and no more can be left out");
            report.rejected.push((item.id, words));
        }
    }

    /// The server refuses something in `batch`: halves it until the culprit stands alone.
    pub(super) fn isolate(&mut self, batch: Vec<Item>, words: &str, report: &mut SendReport) {
        if batch.len() > 1 {
            self.halve(batch);
            return;
        }
        let refused = batch.into_iter().map(|item| (item.id, words.to_owned()));
        report.rejected.extend(refused);
    }

    /// All that is left, in its order.
    pub(super) fn into_items(self) -> Vec<Item> {
        self.groups.into_iter().flatten().chain(self.rest).collect()
    }

    fn halve(&mut self, mut batch: Vec<Item>) {
        let second = batch.split_off(batch.len() / 2);
        self.put_back(second);
        self.put_back(batch);
    }

    fn push_group(&mut self, group: VecDeque<Item>) {
        if !group.is_empty() {
            self.groups.push_front(group);
        }
    }
}

/// Takes items from the front of `source`: one at least, then as many as fit into `max_bytes`.
fn fill(
    source: &mut VecDeque<Item>,
    limits: Limits,
    max_bytes: usize,
    report: &mut SendReport,
) -> Vec<Item> {
    let mut batch: Vec<Item> = Vec::new();
    let mut bytes = 0_usize;
    while let Some(mut item) = source.pop_front() {
        if item.body.len() > limits.bytes {
            let Some(smaller) = shrink(&item, limits.bytes) else {
                let max_bytes = limits.bytes;
                let words = format!("larger than {max_bytes} bytes even without its contents");
                report.rejected.push((item.id, words));
                continue;
            };
            note_shrunk(&smaller, report);
            item = smaller;
        }
        bytes = bytes.saturating_add(item.body.len());
        let is_full = batch.len() >= limits.items || bytes > max_bytes;
        if is_full && !batch.is_empty() {
            source.push_front(item);
            break;
        }
        batch.push(item);
    }
    batch
}

fn note_shrunk(item: &Item, report: &mut SendReport) {
    if !report.shrunk.contains(&item.id) {
        report.shrunk.push(item.id.clone());
    }
}
