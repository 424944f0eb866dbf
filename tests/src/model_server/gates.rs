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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Gates;

    #[tokio::test]
    async fn a_gate_is_passed_once_it_is_open_and_no_other() {
        let gates = Gates::default();
        let passes = async |name: &str| {
            let patience = Duration::from_millis(20);
            tokio::time::timeout(patience, gates.pass(name))
                .await
                .is_ok()
        };
        gates.open("one");
        assert!(passes("one").await);
        assert!(!passes("two").await);
        gates.open("two");
        assert!(passes("two").await);
    }
}
