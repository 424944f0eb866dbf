//! What is still to be sent, cut into batches. Pure.

use std::collections::VecDeque;

use crate::{Item, Limits, SendReport};

use super::shrink::shrink;

/// A single item that is refused as too large is not shrunk below this.
const SMALLEST_ITEM: usize = 1024;

/// Items in their order; those at the front may be bound to go in groups.
pub(super) struct Outbox {
    /// Parts of batches that were split, first to go first; their packing is fixed.
    groups: VecDeque<Vec<Parcel>>,
    /// Everything behind them, in order.
    rest: VecDeque<Parcel>,
    /// Batches of more bytes were found too large in this run.
    batch_bytes: usize,
}

/// An item and whether contents were left out.
struct Parcel {
    item: Item,
    shrunk: bool,
}

/// Items that travel in one request.
pub(super) struct Batch {
    parcels: Vec<Parcel>,
}

impl Outbox {
    pub(super) fn new(items: Vec<Item>) -> Self {
        let parcel = |item| Parcel {
            item,
            shrunk: false,
        };
        Self {
            groups: VecDeque::new(),
            rest: items.into_iter().map(parcel).collect(),
            batch_bytes: usize::MAX,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.rest.is_empty()
    }

    /// The next batch within `limits`. An item too large for any batch is shrunk first; one that
    /// cannot be is rejected here. `None`: nothing is left.
    pub(super) fn next_batch(&mut self, limits: Limits, report: &mut SendReport) -> Option<Batch> {
        // What a backend cannot mean: a batch holds one item at least.
        let limits = Limits {
            items: limits.items.max(1),
            bytes: limits.bytes.max(1),
        };
        let source = loop {
            match self.groups.pop_front() {
                Some(group) if group.is_empty() => {}
                Some(group) => break Some(VecDeque::from(group)),
                None => break None,
            }
        };
        let from_group = source.is_some();
        let mut source = source.unwrap_or_else(|| std::mem::take(&mut self.rest));
        let max_bytes = limits.bytes.min(if from_group {
            usize::MAX
        } else {
            self.batch_bytes
        });
        let mut batch = Batch {
            parcels: Vec::new(),
        };
        let mut bytes = 0_usize;
        while let Some(parcel) = source.pop_front() {
            let parcel = match fit(parcel, limits.bytes) {
                Ok(parcel) => parcel,
                Err(refused) => {
                    report.rejected.push(refused);
                    continue;
                }
            };
            let total = bytes.saturating_add(parcel.item.body.len());
            let is_full = batch.parcels.len() >= limits.items || total > max_bytes;
            if is_full && !batch.parcels.is_empty() {
                source.push_front(parcel);
                break;
            }
            bytes = total;
            batch.parcels.push(parcel);
        }
        if from_group {
            if !source.is_empty() {
                self.groups.push_front(source.into());
            }
        } else {
            self.rest = source;
        }
        if batch.parcels.is_empty() {
            // Everything looked at was rejected; there may be more behind it.
            return if self.is_empty() {
                None
            } else {
                self.next_batch(limits, report)
            };
        }
        Some(batch)
    }

    /// Puts a batch back where it came from.
    pub(super) fn put_back(&mut self, batch: Batch) {
        self.groups.push_front(batch.parcels);
    }

    /// The server found `batch` too large: halves it, or shrinks its only item by half.
    pub(super) fn split(&mut self, batch: Batch, report: &mut SendReport) {
        let bytes = batch.bytes();
        if batch.parcels.len() > 1 {
            // Later batches need not run into the same wall.
            self.batch_bytes = self.batch_bytes.min(bytes / 2);
            self.halve(batch);
            return;
        }
        for parcel in batch.parcels {
            let smaller = (bytes / 2 >= SMALLEST_ITEM)
                .then(|| shrink(&parcel.item, bytes / 2))
                .flatten();
            match smaller {
                Some(item) => self.groups.push_front(vec![Parcel { item, shrunk: true }]),
                None => report.rejected.push((
                    parcel.item.id,
                    format!(
                        "the server finds {bytes} bytes too large, and nothing more can be left out"
                    ),
                )),
            }
        }
    }

    /// The server refuses something in `batch`: halves it until the culprit stands alone.
    pub(super) fn isolate(&mut self, batch: Batch, words: &str, report: &mut SendReport) {
        if batch.parcels.len() > 1 {
            self.halve(batch);
            return;
        }
        for parcel in batch.parcels {
            report.rejected.push((parcel.item.id, words.to_owned()));
        }
    }

    /// All that is left, in its order.
    pub(super) fn into_items(self) -> Vec<Item> {
        let grouped = self.groups.into_iter().flatten();
        grouped.chain(self.rest).map(|parcel| parcel.item).collect()
    }

    fn halve(&mut self, batch: Batch) {
        let mut first = batch.parcels;
        let second = first.split_off(first.len() / 2);
        self.groups.push_front(second);
        self.groups.push_front(first);
    }
}

/// `parcel` if it is at most `max_bytes`, else shrunk to that, else why it cannot be sent.
fn fit(parcel: Parcel, max_bytes: usize) -> Result<Parcel, (String, String)> {
    if parcel.item.body.len() <= max_bytes {
        return Ok(parcel);
    }
    match shrink(&parcel.item, max_bytes) {
        Some(item) => Ok(Parcel { item, shrunk: true }),
        None => Err((
            parcel.item.id,
            format!("larger than {max_bytes} bytes even without its contents"),
        )),
    }
}

impl Batch {
    /// The items, as a backend takes them.
    pub(super) fn refs(&self) -> Vec<&Item> {
        self.parcels.iter().map(|parcel| &parcel.item).collect()
    }

    /// Notes all as acknowledged.
    pub(super) fn acknowledge(self, report: &mut SendReport) {
        for parcel in self.parcels {
            if parcel.shrunk {
                report.shrunk.push(parcel.item.id.clone());
            }
            report.acknowledged.push(parcel.item.id);
        }
    }

    fn bytes(&self) -> usize {
        self.parcels.iter().map(|p| p.item.body.len()).sum()
    }
}
