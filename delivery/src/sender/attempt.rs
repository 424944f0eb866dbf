//! One request and its answer, one batch and what became of it, one wait.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::http::Exchange;
use crate::verdict::{excerpt, without_echoes};
use crate::{Item, OnTrouble, Request, Response, SendReport, Step, Upload, Verdict, failpoint};

use super::{Deadline, LONGEST_CHAIN, Sender};

/// What became of a batch.
pub(super) enum Settled {
    /// The server has it.
    Acknowledged,
    /// It is too large.
    TooLarge,
    /// Something in it is refused for good; the server's words.
    Refused(String),
    /// It failed for now; the wait is over.
    Again,
    /// The deadline or the destination ends it here; the report says which.
    GaveUp,
}

impl<E: Exchange> Sender<E> {
    /// Sends one batch once, follow-ups included.
    pub(super) async fn settle(
        &mut self,
        items: &[&Item],
        deadline: Deadline,
        report: &mut SendReport,
        trouble: &mut OnTrouble<'_>,
    ) -> Settled {
        let mut request = self.backend.request(&self.destination, &self.facts, items);
        let mut verdict = Verdict::Retry(None);
        for step in 0..=LONGEST_CHAIN {
            if step == LONGEST_CHAIN {
                let label = &self.destination.label;
                report.last_error = Some(format!("follow-ups of a batch to {label} find no end"));
                break;
            }
            let Some(answer) = self.exchange(request, deadline, report).await else {
                return Settled::GaveUp;
            };
            let Ok(response) = answer else {
                break;
            };
            let next =
                self.backend
                    .settle(&self.destination, &mut self.facts, items, step, &response);
            self.save_facts();
            match next {
                Step::Next(following) => request = following,
                Step::Done(done) => {
                    verdict = unquoted(done, items);
                    self.note(&verdict, &response, items, report);
                    break;
                }
            }
        }
        match verdict {
            Verdict::Acknowledged => {
                self.schedule.reset();
                self.throttle
                    .succeeded(&self.destination.id, Instant::now());
                Settled::Acknowledged
            }
            Verdict::Split => Settled::TooLarge,
            Verdict::Reject(words) => Settled::Refused(words),
            Verdict::Stop(words) => {
                report.stopped = Some(words);
                Settled::GaveUp
            }
            Verdict::Retry(asked) => {
                if self.wait(asked, deadline, report, trouble).await {
                    Settled::Again
                } else {
                    Settled::GaveUp
                }
            }
        }
    }

    /// One request. `None`: sending ends here. `Err`: no answer, worth another try.
    pub(super) async fn exchange(
        &mut self,
        request: Request,
        deadline: Deadline,
        report: &mut SendReport,
    ) -> Option<Result<Response, ()>> {
        if !self.take_turn(deadline, report).await {
            return None;
        }
        let label = &self.destination.label;
        failpoint::hit("before_request");
        let upload = Upload::default();
        let answer = self.client.exchange_watched(request, &upload);
        let answer = deadline.wait_for(&upload, answer).await;
        failpoint::hit("after_answer");
        let Some(answer) = answer else {
            report.last_error = Some(format!("{label} had not answered when time was up"));
            return None;
        };
        match answer {
            Ok(response) => Some(Ok(response)),
            Err(error) => {
                tracing::warn!(destination = %label, %error, "no answer");
                report.last_error = Some(error.to_string());
                if error.is_transient() {
                    return Some(Err(()));
                }
                report.stopped = Some(error.to_string());
                None
            }
        }
    }

    /// Waits for this destination's pace; false if that would pass the deadline.
    async fn take_turn(&self, deadline: Deadline, report: &mut SendReport) -> bool {
        let now = Instant::now();
        let slot = self
            .throttle
            .reserve(&self.destination.id, now, deadline.until);
        match slot {
            Ok(slot) => {
                sleep_until(slot).await;
                true
            }
            Err(slot) => {
                report.retry_after = Some(slot - now).filter(|wait| !wait.is_zero());
                false
            }
        }
    }

    /// Waits before another attempt, and tells of what went wrong; false if the wait would pass the
    /// deadline: then the report tells.
    pub(super) async fn wait(
        &mut self,
        asked: Option<Duration>,
        deadline: Deadline,
        report: &mut SendReport,
        trouble: &mut OnTrouble<'_>,
    ) -> bool {
        let wait = self.schedule.next(asked);
        let now = Instant::now();
        let until = now + wait;
        self.throttle.refused(&self.destination.id, now, until);
        if until >= deadline.until {
            report.retry_after = Some(wait);
            return false;
        }
        if let Some(words) = &report.last_error {
            trouble(words);
        }
        sleep_until(until).await;
        true
    }

    /// Remembers what went wrong, in the server's words.
    pub(super) fn note(
        &self,
        verdict: &Verdict,
        response: &Response,
        items: &[&Item],
        report: &mut SendReport,
    ) {
        let label = &self.destination.label;
        let words = match verdict {
            Verdict::Acknowledged => return,
            Verdict::Retry(_) | Verdict::Split => without_echoes(&excerpt(response), items),
            Verdict::Reject(words) | Verdict::Stop(words) => words.clone(),
        };
        tracing::warn!(destination = %label, words, "not delivered");
        report.last_error = Some(words);
    }
}

/// The verdict without what the server quotes of `items`: its words are kept on disk.
fn unquoted(verdict: Verdict, items: &[&Item]) -> Verdict {
    match verdict {
        Verdict::Reject(words) => Verdict::Reject(without_echoes(&words, items)),
        Verdict::Stop(words) => Verdict::Stop(without_echoes(&words, items)),
        other => other,
    }
}
