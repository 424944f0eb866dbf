use proptest::prelude::*;

use super::*;

/// One scripted answer.
fn any_answer() -> impl Strategy<Value = Result<Response, HttpError>> {
    prop_oneof![
        6 => Just(status(200)),
        3 => prop::sample::select(vec![413_u16, 400, 404, 422]).prop_map(status),
        3 => prop::sample::select(vec![408_u16, 500, 502, 202]).prop_map(status),
        2 => (0_u64..2000).prop_map(|seconds| busy(429, seconds)),
        2 => Just(no_answer()),
        1 => Just(status(401)),
        1 => Just(Err(HttpError::RedirectLoop { host: "h".to_owned() })),
    ]
}

fn any_items() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec(0_usize..4000, 0..40).prop_map(|sizes| {
        let sized = |(number, size)| Item {
            id: number_id(number),
            body: items(1, size).remove(0).body,
            known: false,
        };
        sizes.into_iter().enumerate().map(sized).collect()
    })
}

fn number_id(number: usize) -> String {
    format!("{number:03}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_item_ends_exactly_once_whatever_the_server_says(
        items in any_items(),
        answers in prop::collection::vec(any_answer(), 0..40),
        most in 1_usize..12,
        bytes in 400_usize..6000,
        seconds in 0_u64..3000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let backend = Plain {
            limits: Limits { items: most, bytes },
            follow_up: vec![202],
            ..Plain::default()
        };
        let all: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
        let (report, asked, is_late) = runtime.block_on(async {
            let mut answers = VecDeque::from(answers);
            let script = Scripted::new(move |_| answers.pop_front().unwrap_or_else(|| status(200)));
            let mut bench = bench(backend, script);
            let deadline = Instant::now() + Duration::from_secs(seconds);
            let report = bench.sender.send(items, deadline).await;
            (report, bench.script.asked(), Instant::now() > deadline)
        });
        prop_assert!(!is_late);
        let mut ended = unsent_ids(&report);
        prop_assert!(ended.is_sorted(), "what is unsent keeps its order");
        prop_assert!(report.acknowledged.is_sorted(), "what arrives keeps its order");
        ended.extend(report.acknowledged.iter().cloned());
        ended.extend(report.rejected.iter().map(|(id, _)| id.clone()));
        ended.sort_unstable();
        prop_assert_eq!(ended, all);
        let is_rejected = |id| report.rejected.iter().any(|(rejected, _)| rejected == id);
        prop_assert!(!report.shrunk.iter().any(is_rejected));
        prop_assert!(asked.iter().all(|a| a.ids.len() <= most && a.bytes <= bytes));
    }
}
