//! What goes wrong on the way is known while it is still tried: the real sender, with scripted answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use codex_tracing_delivery::testing::Answer;
use codex_tracing_delivery::{
    Course, Cursor, Exchange, FactsStore, HttpError, LastError, Left, Request, Response, Throttle,
    http_outlets,
};
use jiff::Timestamp;
use tokio::time::sleep;

use crate::desk::{Desk, ROOT, work};

/// What there is instead of a server: these answers, then 200 for ever.
#[derive(Clone)]
struct Line {
    answers: Arc<Mutex<VecDeque<Result<u16, HttpError>>>>,
    asked: Arc<Mutex<usize>>,
}

impl Exchange for Line {
    async fn exchange(&self, _: Request) -> Result<Response, HttpError> {
        *self.asked.lock().unwrap() += 1;
        let answer = self.answers.lock().unwrap().pop_front();
        Ok(Response {
            status: answer.unwrap_or(Ok(200))?,
            retry_after: None,
            content_type: None,
            body: b"words".to_vec(),
        })
    }
}

fn refused() -> Result<u16, HttpError> {
    Err(HttpError::Connect {
        host: "traces.test:443".to_owned(),
        cause: "connection refused".to_owned(),
    })
}

const REFUSED: &str = "cannot connect to traces.test:443: connection refused";
const BUSY: &str = "HTTP 503: words";

/// A session with one turn, on a clock of which no two looks are the same.
fn one_turn() -> (Desk, Course) {
    let desk = Desk::new();
    let rollout = desk.rollout(ROOT);
    rollout.begin("t1");
    desk.hook("UserPromptSubmit", Some("t1"));
    rollout.end("t1", "Done.");
    let mut course = desk.course();
    course.now = Timestamp::now;
    (desk, course)
}

/// Sends the turn over a line with these answers.
fn over_line(desk: &Desk, course: &mut Course, answers: Vec<Result<u16, HttpError>>) -> Line {
    let line = Line {
        answers: Arc::new(Mutex::new(answers.into())),
        asked: Arc::default(),
    };
    let backend = Arc::clone(&course.backend);
    let facts = FactsStore::new(desk.state.root());
    course.outlets = http_outlets(backend, line.clone(), facts, Throttle::new());
    line
}

fn last_error(desk: &Desk) -> Option<LastError> {
    Cursor::look(&desk.session, "main")?.last_error
}

/// Everything that the cursor says went wrong, one after the other, as long as a worker is at it.
async fn told_while_working(desk: &Desk, course: Course) -> Vec<Option<String>> {
    let mut told = vec![None];
    let mut worker = std::pin::pin!(work(desk.options_with(course), std::future::pending()));
    loop {
        let left = tokio::select! {
            left = &mut worker => Some(left),
            () = sleep(Duration::from_millis(50)) => None,
        };
        let now = last_error(desk);
        if told.last() != Some(&now) {
            told.push(now);
        }
        if let Some(left) = left {
            assert_eq!(left, Left::Finished);
            let words = |error: Option<LastError>| error.map(|error| error.message);
            return told.into_iter().map(words).collect();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_failure_that_is_tried_again_is_told_meanwhile_and_written_once_until_its_words_change()
 {
    let took = [None, Some(REFUSED), Some(BUSY), Some(REFUSED), None];
    let refuses_all = [None, Some(REFUSED), None];
    for (answers, delivered, expected) in [
        (
            vec![refused(), refused(), Ok(503), Ok(503), refused()],
            1,
            &took[..],
        ),
        (vec![refused(), Ok(422)], 0, &refuses_all[..]),
    ] {
        let (desk, mut course) = one_turn();
        over_line(&desk, &mut course, answers);
        let told = told_while_working(&desk, course).await;
        let told: Vec<Option<&str>> = told.iter().map(Option::as_deref).collect();
        assert_eq!(told, expected);
        let cursor = Cursor::look(&desk.session, "main").unwrap();
        assert_eq!(cursor.delivered, delivered);
        assert_eq!(cursor.rejected_count, 1 - delivered);
    }
}

#[tokio::test(start_paused = true)]
async fn why_nothing_arrives_is_known_within_a_second_and_the_attempt_goes_on_as_if_nobody_asked() {
    let (desk, mut course) = one_turn();
    let line = over_line(&desk, &mut course, vec![refused(); 1000]);
    let mut worker = std::pin::pin!(work(desk.options_with(course), std::future::pending()));
    let mut after = async |seconds| {
        tokio::select! {
            _ = &mut worker => panic!("the worker waits for an answer"),
            () = sleep(Duration::from_secs(seconds)) => last_error(&desk).unwrap(),
        }
    };
    let first = after(1).await;
    assert_eq!(first.message, REFUSED);
    // The waits grow, whatever is told; with any jitter the first attempt lasts longer than this.
    assert_eq!(after(14).await, first);
    let asked = *line.asked.lock().unwrap();
    assert!((5..=6).contains(&asked), "{asked}");
    // The end of the attempt is told as ever.
    let second = after(60).await;
    assert_eq!(second.message, REFUSED);
    assert_ne!(second.at, first.at);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_was_not_asked_again_in_time_keeps_the_reason_it_gave_before() {
    let (desk, course) = one_turn();
    let script = [Answer::Down(None), Answer::TakeInTime(0)];
    desk.store().borrow_mut().script.extend(script);
    desk.store().borrow_mut().otherwise = Some(Answer::TakeInTime(0));
    let worker = work(desk.options_with(course), std::future::pending());
    assert_eq!(worker.await, Left::GaveUp);
    assert_eq!(last_error(&desk).unwrap().message, "connection refused");
}
