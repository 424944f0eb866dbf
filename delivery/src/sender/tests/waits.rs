use super::*;
use crate::Upload;

fn times(bench: &Bench) -> Vec<u128> {
    let asked = bench.script.asked();
    // Without the millisecond each answer takes.
    let at = |(index, asked): (usize, &Asked)| asked.at.as_millis() - index as u128 - 1;
    asked.iter().enumerate().map(at).collect()
}

#[tokio::test(start_paused = true)]
async fn failures_that_pass_are_waited_out_with_growing_waits() {
    let script = Scripted::answers([status(500), no_answer(), status(502), status(408)]);
    let mut bench = bench(Plain::default(), script);
    let report = bench.send(items(2, 10)).await;
    assert_eq!(report.acknowledged, ids(0..2));
    assert_eq!(times(&bench), [0, 500, 1500, 3500, 7500]);
    let last = report.last_error.as_deref();
    assert_eq!(last, Some("HTTP 408: words"));
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_wait_is_honoured() {
    for code in [429, 503] {
        let mut bench = bench(Plain::default(), Scripted::answers([busy(code, 7)]));
        let report = bench.send(items(1, 10)).await;
        assert_eq!(report.acknowledged, ids(0..1));
        assert_eq!(times(&bench), [0, 7000]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_past_the_deadline_is_not_begun_but_told() {
    let mut bench = bench(Plain::default(), Scripted::answers([busy(503, 120)]));
    let began_at = Instant::now();
    let report = bench.send_within(items(2, 10), 60).await;
    assert!(began_at.elapsed() < Duration::from_secs(1));
    assert_eq!(unsent_ids(&report), ids(0..2));
    assert_eq!(report.retry_after, Some(Duration::from_mins(2)));
    // A second call within the wait does not ask again.
    let report = bench.send_within(items(2, 10), 60).await;
    assert_eq!(unsent_ids(&report), ids(0..2));
    assert!(report.retry_after.is_some());
    assert_eq!(bench.script.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_absurd_wish_is_cut_to_the_cap() {
    let mut bench = bench(Plain::default(), Scripted::answers([busy(429, 999_999)]));
    let report = bench.send(items(1, 10)).await;
    assert_eq!(report.acknowledged, ids(0..1));
    assert_eq!(times(&bench), [0, 600_000]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_destination_is_given_up_at_the_deadline_with_everything_kept() {
    let mut bench = bench(Plain::default(), Scripted::new(|_| no_answer()));
    let report = bench.send_within(items(5, 10), 60).await;
    assert_eq!(unsent_ids(&report), ids(0..5));
    assert_eq!(report.unsent, items(5, 10));
    assert_eq!(
        report.last_error.as_deref(),
        Some("traces.test did not answer in time")
    );
    assert_eq!(report.stopped, None);
    assert!(bench.script.asked().len() < 10);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_ends_at_the_deadline() {
    struct Silent;
    impl Exchange for Silent {
        async fn exchange(&self, _: Request) -> Result<Response, HttpError> {
            std::future::pending().await
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = FactsStore::new(folder.path());
    let mut sender = Sender::new(Arc::new(Plain::default()), destination(), Silent, store);
    let deadline = Instant::now() + Duration::from_secs(5);
    let report = sender.send(items(2, 10), deadline).await;
    assert_eq!(Instant::now(), deadline);
    assert_eq!(unsent_ids(&report), ids(0..2));
    assert!(report.last_error.unwrap().contains("time was up"));
}

/// Takes a piece of the body each second, so many, and answers or falls silent.
struct SlowLine {
    pieces: u32,
    answers: bool,
}

impl Exchange for SlowLine {
    async fn exchange(&self, request: Request) -> Result<Response, HttpError> {
        self.exchange_watched(request, &Upload::default()).await
    }

    async fn exchange_watched(&self, _: Request, upload: &Upload) -> Result<Response, HttpError> {
        for _ in 0..self.pieces {
            tokio::time::sleep(SECOND).await;
            upload.moved(Instant::now(), 64 * 1024, 32 * 1024);
        }
        if self.answers {
            return status(200);
        }
        std::future::pending().await
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_body_on_its_way_may_pass_the_end_of_an_attempt_but_not_the_last_one_nor_stand_still() {
    let standstill = 100 + crate::upload::LONGEST_STANDSTILL.as_secs();
    for (pieces, answers, at_last, arrives, ends) in [
        (100, true, None, true, 100),
        (100, true, Some(200), true, 100),
        (100, true, Some(50), false, 50),
        (100, true, Some(10), false, 10),
        (100, false, None, false, standstill),
        (0, false, None, false, 10),
        (5, false, None, false, 11),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = FactsStore::new(folder.path());
        let line = SlowLine { pieces, answers };
        let mut sender = Sender::new(Arc::new(Plain::default()), destination(), line, store);
        let began_at = Instant::now();
        let deadline = Deadline {
            until: began_at + SECOND * 10,
            at_last: at_last.map(|seconds| began_at + SECOND * seconds),
        };
        let report = sender.send(items(1, 10), deadline).await;
        let case = format!("{pieces}, {answers}, {at_last:?}");
        assert_eq!(report.acknowledged.len(), usize::from(arrives), "{case}");
        assert_eq!(report.unsent.len(), usize::from(!arrives), "{case}");
        assert_eq!(began_at.elapsed().as_secs(), ends, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_no_wait_is_not_hammered() {
    let mut bench = bench(Plain::default(), Scripted::new(|_| busy(503, 0)));
    let report = bench.send_within(items(1, 10), 10).await;
    assert_eq!(unsent_ids(&report), ids(0..1));
    assert!(bench.script.asked().len() < 25);
}

#[tokio::test(start_paused = true)]
async fn rest_asked_of_one_sender_is_kept_by_the_others_of_that_destination() {
    let throttle = Throttle::new();
    let mut first = bench(Plain::default(), Scripted::answers([busy(429, 100)]));
    let mut second = bench(Plain::default(), Scripted::answers([]));
    let mut elsewhere = bench(Plain::default(), Scripted::answers([]));
    elsewhere.sender.destination.id = "d-2".to_owned();
    first.sender = first.sender.with_throttle(throttle.clone());
    second.sender = second.sender.with_throttle(throttle.clone());
    elsewhere.sender = elsewhere.sender.with_throttle(throttle);
    assert_eq!(first.send_within(items(1, 10), 10).await.unsent.len(), 1);
    assert_eq!(
        elsewhere.send_within(items(1, 10), 10).await.acknowledged,
        ["0"]
    );
    let report = second.send_within(items(1, 10), 10).await;
    assert_eq!(report.unsent.len(), 1);
    assert!(report.retry_after.unwrap() > Duration::from_secs(90));
    assert_eq!(
        second.send_within(items(1, 10), 200).await.acknowledged,
        ["0"]
    );
    assert!(second.script.asked()[0].at >= Duration::from_secs(100));
}

#[tokio::test(start_paused = true)]
async fn what_no_retry_can_mend_stops_at_once() {
    let error = HttpError::InvalidHeader {
        host: "traces.test".to_owned(),
        name: "x-api-key",
    };
    let mut bench = bench(Plain::default(), Scripted::answers([Err(error.clone())]));
    let report = bench.send(items(1, 10)).await;
    assert_eq!(report.stopped, Some(error.to_string()));
    assert_eq!(unsent_ids(&report), ids(0..1));
}

#[tokio::test(start_paused = true)]
async fn each_failure_that_is_waited_out_is_told_before_the_wait_and_the_last_in_the_report() {
    let needs = Plain {
        needs: vec!["project"],
        ..Plain::default()
    };
    for (backend, path) in [(Plain::default(), "items"), (needs, "project")] {
        let script = Scripted::new(|asked| match asked.at.as_secs() {
            0 => no_answer(),
            _ => status(503),
        });
        let mut bench = bench(backend, script);
        let began_at = Instant::now();
        let mut told = Vec::new();
        let mut hear = |words: &str| {
            let at = began_at.elapsed().as_millis();
            told.push((at, words.to_owned()));
        };
        let deadline = Deadline::from(began_at + SECOND * 3);
        let sending = bench.sender.send_watched(items(1, 10), deadline, &mut hear);
        let report = sending.await;
        let timeout = "traces.test did not answer in time".to_owned();
        // The next wait would pass the deadline.
        assert_eq!(told, [(1, timeout.clone()), (502, timeout)]);
        assert_eq!(report.last_error.as_deref(), Some("HTTP 503: words"));
        assert_eq!(bench.script.paths(), [path; 3]);
    }
}
