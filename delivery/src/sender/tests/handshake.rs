use super::*;

fn needing(needs: &[&'static str]) -> Plain {
    Plain {
        needs: needs.to_vec(),
        ..Plain::default()
    }
}

/// Tells each fact that is asked for; takes every batch.
fn told(asked: &Asked) -> Result<Response, HttpError> {
    Ok(Response {
        body: asked.path.clone().into_bytes(),
        ..status(200)?
    })
}

#[tokio::test(start_paused = true)]
async fn facts_are_learned_once_and_kept_on_disk() {
    let mut bench = bench(needing(&["login", "project"]), Scripted::new(told));
    let report = bench.send(items(1, 10)).await;
    assert_eq!(report.acknowledged, ids(0..1));
    bench.send(items(1, 10)).await;
    assert_eq!(bench.script.paths(), ["login", "project", "items", "items"]);
    let stored = FactsStore::new(bench.folder.path()).load("d-1");
    assert_eq!(stored.values.len(), 2);

    let script = Scripted::new(told);
    let store = FactsStore::new(bench.folder.path());
    let backend = Arc::new(needing(&["login", "project"]));
    let mut next = Sender::new(backend, destination(), script.clone(), store);
    let deadline = Instant::now() + Duration::from_secs(9);
    assert_eq!(next.send(items(1, 10), deadline).await.acknowledged, ["0"]);
    assert_eq!(script.paths(), ["items"]);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_retried_like_anything_else() {
    let mut failures = 2;
    let script = Scripted::new(move |asked| {
        if failures == 0 {
            return told(asked);
        }
        failures -= 1;
        status(503)
    });
    let mut bench = bench(needing(&["login"]), script);
    let report = bench.send(items(1, 10)).await;
    assert_eq!(report.acknowledged, ids(0..1));
    assert_eq!(bench.script.paths(), ["login", "login", "login", "items"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_handshake_stops_and_rejects_no_item() {
    for code in [401, 403, 404, 413] {
        let mut bench = bench(needing(&["login"]), Scripted::answers([status(code)]));
        let report = bench.send(items(3, 10)).await;
        assert_eq!(unsent_ids(&report), ids(0..3));
        assert_eq!(report.rejected, []);
        assert!(report.stopped.is_some(), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_end_is_given_up() {
    let nothing_told = Scripted::new(|_| {
        Ok(Response {
            body: Vec::new(),
            ..status(200)?
        })
    });
    let mut bench = bench(needing(&["login"]), nothing_told);
    let report = bench.send(items(1, 10)).await;
    assert_eq!(unsent_ids(&report), ids(0..1));
    assert_eq!(bench.script.asked().len(), LONGEST_CHAIN);
    assert!(report.last_error.unwrap().contains("finds no end"));
}

#[tokio::test(start_paused = true)]
async fn facts_found_stale_are_learned_again_before_the_batch_is_repeated() {
    let backend = Plain {
        forgets_on: Some(404),
        ..needing(&["project"])
    };
    let mut batches = 0;
    let script = Scripted::new(move |asked| {
        batches += usize::from(asked.path == "items");
        if asked.path == "items" && batches == 1 {
            return status(404);
        }
        told(asked)
    });
    let mut bench = bench(backend, script);
    let report = bench.send(items(2, 10)).await;
    assert_eq!(report.acknowledged, ids(0..2));
    assert_eq!(
        bench.script.paths(),
        ["project", "items", "project", "items"]
    );
}

#[tokio::test(start_paused = true)]
async fn facts_that_are_always_stale_do_not_spin() {
    let backend = Plain {
        forgets_on: Some(404),
        ..needing(&["project"])
    };
    let script = Scripted::new(|asked| {
        if asked.path == "items" {
            status(404)
        } else {
            told(asked)
        }
    });
    let mut bench = bench(backend, script);
    let report = bench.send_within(items(2, 10), 60).await;
    assert_eq!(unsent_ids(&report), ids(0..2));
    assert!(bench.script.asked().len() < 20);
}

#[tokio::test(start_paused = true)]
async fn follow_ups_are_sent_before_a_batch_is_settled() {
    let backend = Plain {
        follow_up: vec![202, 307],
        ..Plain::default()
    };
    let script = Scripted::answers([status(202), status(307), status(200)]);
    let mut bench = bench(backend, script);
    let report = bench.send(items(2, 10)).await;
    assert_eq!(report.acknowledged, ids(0..2));
    assert_eq!(bench.script.paths(), ["items", "step-0", "step-1"]);
}

#[tokio::test(start_paused = true)]
async fn follow_ups_without_end_are_given_up() {
    let backend = Plain {
        follow_up: vec![202],
        ..Plain::default()
    };
    let mut bench = bench(backend, Scripted::new(|_| status(202)));
    // Too short for a second attempt.
    let deadline = Instant::now() + Duration::from_millis(400);
    let report = bench.sender.send(items(1, 10), deadline).await;
    assert_eq!(unsent_ids(&report), ids(0..1));
    assert_eq!(bench.script.asked().len(), LONGEST_CHAIN);
    assert!(report.last_error.unwrap().contains("no end"));
}

#[tokio::test(start_paused = true)]
async fn facts_that_cannot_be_saved_do_not_hinder_delivery() {
    let mut bench = bench(needing(&["login"]), Scripted::new(told));
    let file = bench.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    bench.sender.store = FactsStore::new(file.join("facts"));
    let report = bench.send(items(1, 10)).await;
    assert_eq!(report.acknowledged, ids(0..1));
}
