//! The conversation since the last context boundary, and where the boundaries are.

use std::sync::Arc;

use crate::{Item, Usage};

/// What the next model call will see.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    items: Vec<Arc<Item>>,
    /// Lengths at which turns began, for `thread_rolled_back`.
    turns: Vec<usize>,
    boundaries: Vec<Boundary>,
}

/// A place where the conversation begins anew.
#[derive(Debug, Clone)]
pub(super) struct Boundary {
    /// Offset of the record that replaced the conversation; 0 for the beginning of the file.
    pub(super) offset: u64,
    /// Turns begun before it.
    pub(super) turns: u32,
    pub(super) raw: Usage,
    pub(super) inherited: Usage,
    pub(super) model: Option<String>,
}

impl Conversation {
    pub(super) fn starting_at(boundary: Boundary) -> Self {
        Self {
            boundaries: vec![boundary],
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, item: Arc<Item>) {
        self.items.push(item);
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn items(&self) -> Vec<Arc<Item>> {
        self.items.clone()
    }

    pub(super) fn begin_turn(&mut self) {
        self.turns.push(self.items.len());
    }

    /// Starts over with `after` and gives what was there before.
    pub(super) fn replace(&mut self, after: Vec<Arc<Item>>, at: Boundary) -> Vec<Arc<Item>> {
        self.turns.clear();
        self.boundaries.push(at);
        std::mem::replace(&mut self.items, after)
    }

    /// Takes the last `turns` turns out again. What lies before a boundary stays replaced.
    pub(super) fn roll_back(&mut self, turns: usize) {
        for _ in 0..turns.min(self.turns.len()) {
            if let Some(len) = self.turns.pop() {
                self.items.truncate(len);
            }
        }
    }

    /// The latest boundary that lies before every turn numbered above `settled`.
    pub(super) fn boundary(&self, settled: u32) -> Option<&Boundary> {
        self.boundaries
            .iter()
            .rev()
            .find(|boundary| boundary.turns <= settled)
    }
}
