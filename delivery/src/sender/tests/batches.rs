use super::*;

fn limited(items: usize, bytes: usize) -> Plain {
    Plain {
        limits: Limits { items, bytes },
        ..Plain::default()
    }
}

#[tokio::test(start_paused = true)]
async fn items_go_in_order_in_batches_within_count_and_bytes() {
    let mut bench = bench(limited(3, 1000), Scripted::answers([]));
    let report = bench.send(items(5, 10)).await;
    assert_eq!(report.acknowledged, ids(0..5));
    let batches: Vec<_> = bench.script.asked().into_iter().map(|a| a.ids).collect();
    assert_eq!(batches, [ids(0..3), ids(3..5)]);

    let mut bench = self::bench(limited(100, 1000), Scripted::answers([]));
    let report = bench.send(items(6, 300)).await;
    assert_eq!(report.acknowledged, ids(0..6));
    assert!(bench.script.asked().iter().all(|asked| asked.bytes <= 1000));
    assert_eq!(bench.script.asked().len(), 2);
    assert_eq!(
        report,
        SendReport {
            acknowledged: ids(0..6),
            ..SendReport::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_to_send_asks_nobody() {
    let backend = Plain {
        needs: vec!["project"],
        ..Plain::default()
    };
    let mut bench = bench(backend, Scripted::answers([]));
    assert_eq!(bench.send(Vec::new()).await, SendReport::default());
    assert_eq!(bench.script.asked(), []);
}

#[tokio::test(start_paused = true)]
async fn an_item_over_the_limit_is_shrunk_and_still_arrives() {
    let mut bench = bench(limited(100, 2000), Scripted::answers([]));
    let mut items = items(3, 10);
    items[1].body = super::items(1, 9000).remove(0).body;
    let report = bench.send(items).await;
    assert_eq!(report.acknowledged, ids(0..3));
    assert_eq!(report.shrunk, ["1"]);
    assert!(bench.script.asked().iter().all(|asked| asked.bytes <= 2000));
}

#[tokio::test(start_paused = true)]
async fn an_item_whose_identity_is_over_the_limit_is_rejected_alone() {
    let mut bench = bench(limited(100, 500), Scripted::answers([]));
    let mut items = items(3, 10);
    items[1].body = format!(r#"{{"id":"{}"}}"#, "x".repeat(900)).into_bytes();
    let report = bench.send(items).await;
    assert_eq!(report.acknowledged, ["0", "2"]);
    assert_eq!(
        report.rejected,
        [(
            "1".to_owned(),
            "larger than 500 bytes even without its contents".to_owned()
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_too_large_is_halved_and_later_batches_are_smaller_at_once() {
    let script = Scripted::new(|asked| status(if asked.bytes > 3000 { 413 } else { 200 }));
    let mut bench = bench(limited(8, 1_000_000), script);
    let report = bench.send(items(24, 500)).await;
    assert_eq!(report.acknowledged, ids(0..24));
    let refused = bench
        .script
        .asked()
        .iter()
        .filter(|a| a.bytes > 3000)
        .count();
    assert_eq!(refused, 1, "the wall is met once");
}

#[tokio::test(start_paused = true)]
async fn a_single_item_too_large_is_shrunk_until_it_fits() {
    let script = Scripted::new(|asked| status(if asked.bytes > 1500 { 413 } else { 200 }));
    let mut bench = bench(Plain::default(), script);
    let report = bench.send(items(1, 20_000)).await;
    assert_eq!((report.acknowledged, report.shrunk), (ids(0..1), ids(0..1)));
}

#[tokio::test(start_paused = true)]
async fn an_item_too_large_at_any_size_is_rejected_with_its_reason() {
    let script = Scripted::new(|asked| status(if asked.ids == ["1"] { 413 } else { 200 }));
    let mut bench = bench(limited(1, 1_000_000), script);
    let report = bench.send(items(3, 50_000)).await;
    assert_eq!(report.acknowledged, ["0", "2"]);
    let [(id, reason)] = report.rejected.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(id, "1");
    assert!(reason.contains("too large"), "{reason}");
    assert!(bench.script.asked().len() < 20);
}

fn poisoned(poison: &'static [&'static str]) -> Scripted {
    Scripted::new(move |asked| {
        let has_poison = asked.ids.iter().any(|id| poison.contains(&id.as_str()));
        status(if has_poison { 422 } else { 200 })
    })
}

#[tokio::test(start_paused = true)]
async fn one_poison_among_a_hundred_is_found_in_few_requests() {
    for poison in [&["0"], &["37"], &["99"]] {
        let mut bench = bench(Plain::default(), poisoned(poison));
        let report = bench.send(items(100, 10)).await;
        let expected = [(poison[0].to_owned(), "HTTP 422: words".to_owned())];
        assert_eq!(report.rejected, expected);
        assert_eq!(report.acknowledged.len(), 99);
        assert!(
            report
                .acknowledged
                .is_sorted_by_key(|id| id.parse::<u32>().unwrap())
        );
        // Two requests for each of the log2(100) halvings, and the first.
        let requests = bench.script.asked().len();
        assert!(requests <= 15, "{requests} requests");
    }
}

#[tokio::test(start_paused = true)]
async fn several_poisons_are_each_found_and_the_rest_arrives() {
    let mut bench = bench(Plain::default(), poisoned(&["3", "4", "77"]));
    let report = bench.send(items(100, 10)).await;
    let rejected: Vec<_> = report.rejected.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(rejected, ["3", "4", "77"]);
    assert_eq!(report.acknowledged.len(), 97);
    assert_eq!(report.last_error.as_deref(), Some("HTTP 422: words"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_at_once_and_keeps_everything() {
    for code in [401, 403] {
        let mut bench = bench(
            limited(2, 1000),
            Scripted::answers([status(200), status(code)]),
        );
        let report = bench.send(items(6, 10)).await;
        assert_eq!(report.acknowledged, ids(0..2));
        assert_eq!(unsent_ids(&report), ids(2..6));
        assert_eq!(report.stopped, Some(format!("HTTP {code}: words")));
        assert_eq!(bench.script.asked().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_server_quotes_of_a_refused_item_is_not_told_on() {
    for code in [401, 408, 422] {
        let script = Scripted::new(move |_| {
            Ok(Response {
                body: format!("bad input: {}", "x".repeat(60)).into_bytes(),
                ..status(code)?
            })
        });
        let mut bench = bench(Plain::default(), script);
        let report = bench.send_within(items(1, 60), 1).await;
        let words = Some(format!("HTTP {code}: bad input: […]"));
        assert_eq!(report.last_error, words);
        assert!(report.stopped.is_none() || report.stopped == words);
        let rejected = report.rejected.iter().map(|(_, words)| words);
        assert!(rejected.eq((code == 422).then_some(&words).into_iter().flatten()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_web_page_stops_and_keeps_everything() {
    let script = Scripted::new(|_| {
        Ok(Response {
            content_type: Some("text/html".to_owned()),
            body: b"<html>Sign in</html>".to_vec(),
            ..status(200)?
        })
    });
    let mut bench = bench(Plain::default(), script);
    let report = bench.send(items(3, 10)).await;
    assert_eq!(unsent_ids(&report), ids(0..3));
    assert!(report.stopped.unwrap().contains("check the URL"));
    assert_eq!(bench.script.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_key_nothing_is_asked() {
    let mut bench = bench(Plain::default(), Scripted::answers([]));
    bench.sender.destination.has_key = false;
    let report = bench.send(items(2, 10)).await;
    assert_eq!(unsent_ids(&report), ids(0..2));
    assert_eq!(
        report.stopped.as_deref(),
        Some("no API key for traces.test/codex")
    );
    assert_eq!(bench.script.asked(), []);
}

#[tokio::test(start_paused = true)]
async fn limits_of_zero_still_send_one_by_one() {
    let mut bench = bench(limited(0, 1000), Scripted::answers([]));
    let report = bench.send(items(3, 10)).await;
    assert_eq!(report.acknowledged, ids(0..3));
    assert_eq!(bench.script.asked().len(), 3);
}
