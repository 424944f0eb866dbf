//! Gates: answers that wait until something else has come about.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

/// Which gates of a server are open.
#[derive(Debug, Clone, Default)]
pub(super) struct Gates(Arc<watch::Sender<BTreeSet<String>>>);

impl Gates {
    /// Opens this gate for good.
    pub(super) fn open(&self, name: &str) {
        self.0.send_modify(|open| {
            open.insert(name.to_owned());
        });
    }

    /// Waits until this gate is open.
    pub(super) async fn pass(&self, name: &str) {
        let mut open = self.0.subscribe();
        // It fails only without a sender, and `self` is one.
        let _ = open.wait_for(|open| open.contains(name)).await;
    }
}
