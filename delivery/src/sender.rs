//! Delivering items to one destination, whatever the network does.
//!
//! A [`Sender`] asks its [`Backend`] what to send and what an answer means, and does the rest:
//! handshake, batches within the limits, retries with back-off, halving what is too large or
//! refused, shrinking what is too large alone. One batch is encoded at a time, and batches leave
//! one after the other, so memory is bounded and order is kept. Each item handed in ends exactly
//! once as acknowledged, rejected or unsent; what is unsent may be handed in again, for ids are
//! stable and servers overwrite.
//!
//! Refuses to: know a backend, read rollouts, remember what was acknowledged (that is the cursor),
//! outlive its deadline.

mod attempt;
mod deadline;
mod outbox;
mod report;
mod shrink;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::http::Exchange;
use crate::retry::Schedule;
use crate::{
    Backend, Destination, Facts, FactsStore, HttpClient, Item, Response, RetryPolicy, Throttle,
    Verdict,
};

use attempt::Settled;
use outbox::Outbox;

pub use deadline::Deadline;
pub use report::{OnTrouble, SendReport};
pub use shrink::shrink;

/// Requests of one handshake, or follow-ups of one batch, before it counts as endless.
const LONGEST_CHAIN: usize = 16;

/// Delivers items to one destination.
pub struct Sender<E = HttpClient> {
    backend: Arc<dyn Backend>,
    destination: Destination,
    client: E,
    store: FactsStore,
    facts: Facts,
    saved: Facts,
    schedule: Schedule,
    throttle: Throttle,
}

impl<E: Exchange> Sender<E> {
    /// A sender with the facts known so far, the default [`RetryPolicy`] and a pace of its own.
    pub fn new(
        backend: Arc<dyn Backend>,
        destination: Destination,
        client: E,
        facts: FactsStore,
    ) -> Self {
        let known = facts.load(&destination.id);
        Self {
            backend,
            destination,
            client,
            store: facts,
            saved: known.clone(),
            facts: known,
            schedule: Schedule::new(RetryPolicy::default(), fastrand::u64(..)),
            throttle: Throttle::new(),
        }
    }

    /// With other waits between attempts; the same `seed` gives the same jitter.
    #[must_use]
    pub fn with_retry(mut self, policy: RetryPolicy, seed: u64) -> Self {
        self.schedule = Schedule::new(policy, seed);
        self
    }

    /// With a pace shared by all senders of this process, so that a destination that asked for
    /// rest gets it from all of them.
    #[must_use]
    pub fn with_throttle(mut self, throttle: Throttle) -> Self {
        self.throttle = throttle;
        self
    }

    /// Sends `items` in order until all are settled, the destination refuses, or a wait would
    /// pass `deadline`, which is an [`Instant`] or says more.
    ///
    /// Dropping the future loses nothing but the report: what was sent in vain or unheard may be
    /// sent again.
    pub async fn send(&mut self, items: Vec<Item>, deadline: impl Into<Deadline>) -> SendReport {
        self.send_watched(items, deadline.into(), &mut |_| {}).await
    }

    /// The same; `trouble` hears at once of each failure that is waited out.
    pub async fn send_watched(
        &mut self,
        items: Vec<Item>,
        deadline: Deadline,
        trouble: &mut OnTrouble<'_>,
    ) -> SendReport {
        let mut report = SendReport::default();
        if !self.destination.has_key && !items.is_empty() {
            report.stopped = Some(format!("no API key for {}", self.destination.label));
            report.unsent = items;
            return report;
        }
        let mut outbox = Outbox::new(items);
        while !outbox.is_empty() {
            if !self.shake_hands(deadline, &mut report, trouble).await {
                break;
            }
            let limits = self.backend.limits(&self.destination, &self.facts);
            let Some(batch) = outbox.next_batch(limits, &mut report) else {
                break;
            };
            let refs: Vec<&Item> = batch.iter().collect();
            let settled = self.settle(&refs, deadline, &mut report, trouble).await;
            match settled {
                Settled::Acknowledged => {
                    let ids = batch.into_iter().map(|item| item.id);
                    report.acknowledged.extend(ids);
                }
                Settled::TooLarge => outbox.split(batch, &mut report),
                Settled::Refused(words) => outbox.isolate(batch, &words, &mut report),
                // Facts may have changed: the next turn of the loop asks the backend anew.
                Settled::Again => outbox.put_back(batch),
                Settled::GaveUp => {
                    outbox.put_back(batch);
                    break;
                }
            }
        }
        report.unsent = outbox.into_items();
        let SendReport {
            rejected, shrunk, ..
        } = &mut report;
        shrunk.retain(|id| !rejected.iter().any(|(refused, _)| refused == id));
        for (item, words) in rejected {
            tracing::error!(destination = %self.destination.label, item, words, "item rejected");
        }
        report
    }

    /// Asks and learns until the backend needs to know nothing more; false if sending must end.
    async fn shake_hands(
        &mut self,
        deadline: Deadline,
        report: &mut SendReport,
        trouble: &mut OnTrouble<'_>,
    ) -> bool {
        let mut learned = 0;
        while let Some(request) =
            self.backend
                .handshake(&self.destination, &self.facts, Timestamp::now())
        {
            if learned == LONGEST_CHAIN {
                let label = &self.destination.label;
                report.last_error = Some(format!("the handshake with {label} finds no end"));
                return false;
            }
            let Some(answer) = self.exchange(request, deadline, report).await else {
                return false;
            };
            match answer.map_or(Verdict::Retry(None), |answer| self.learn(&answer, report)) {
                // Not a success that resets the back-off: a batch that fails may have asked for
                // this handshake, and the two could chase each other without a pause.
                Verdict::Acknowledged => {
                    self.throttle
                        .succeeded(&self.destination.id, Instant::now());
                    learned += 1;
                }
                Verdict::Retry(asked) => {
                    if !self.wait(asked, deadline, report, trouble).await {
                        return false;
                    }
                }
                Verdict::Split => {
                    report.stopped = Some("the server finds its handshake too large".to_owned());
                    return false;
                }
                Verdict::Reject(words) | Verdict::Stop(words) => {
                    report.stopped = Some(words);
                    return false;
                }
            }
        }
        true
    }

    /// Takes in what a handshake answer tells.
    fn learn(&mut self, answer: &Response, report: &mut SendReport) -> Verdict {
        let verdict =
            self.backend
                .learn(&self.destination, &mut self.facts, answer, Timestamp::now());
        self.save_facts();
        self.note(&verdict, answer, &[], report);
        verdict
    }

    fn save_facts(&mut self) {
        if self.facts.lasts_as(&self.saved) {
            return;
        }
        if let Err(error) = self.store.save(&self.destination.id, &self.facts) {
            tracing::warn!(destination = %self.destination.label, %error, "facts not saved");
        }
        // Tried once: a full disk is not asked again for every batch.
        self.saved.clone_from(&self.facts);
    }
}

#[cfg(test)]
mod tests;
