//! A rollout that cannot be read to its end, or is gone.

use std::fs;
use std::path::{Path, PathBuf};

use codex_tracing_tests::{Collector, Fault, Replay, bundles};
use walkdir::WalkDir;

use crate::kills::undisturbed;
use crate::trace::{PRODUCTS, assert_same, flush, folded, log};

const SCENARIO: &str = "multi-turn";

/// The one rollout of a home.
fn rollout(codex_home: &Path) -> PathBuf {
    let files = WalkDir::new(codex_home.join("sessions"))
        .into_iter()
        .map(|file| file.unwrap().into_path());
    let rollouts: Vec<PathBuf> = files.filter(|path| path.is_file()).collect();
    let [rollout] = rollouts.try_into().unwrap();
    rollout
}

/// Puts a compressed file in the place of `rollout` that is broken where its last turn begins.
fn break_last_turn(rollout: &Path) -> PathBuf {
    let text = fs::read_to_string(rollout).unwrap();
    let start = text.rfind("\"task_started\"").unwrap();
    let line = text[..start].rfind('\n').unwrap() + 1;
    let pack = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    let parts = [
        pack(&text[..line]),
        b"no frame".to_vec(),
        pack(&text[line..]),
    ];
    let broken = rollout.with_extension("jsonl.zst");
    fs::write(&broken, parts.concat()).unwrap();
    fs::remove_file(rollout).unwrap();
    broken
}

#[test]
fn what_cannot_be_read_is_pending_until_it_can_and_flush_and_status_say_why() {
    for product in PRODUCTS {
        let collector = Collector::start().unwrap();
        collector.inject("/", Fault::Hang);
        let bundles = bundles().unwrap();
        let url = collector.url();
        let mut replay = Replay::recorded("0.169.0", SCENARIO, product, &bundles, &url).unwrap();
        replay.run().unwrap();
        replay.kill_workers();
        collector.heal();
        let rollout = rollout(&replay.codex_home());
        let whole = fs::read(&rollout).unwrap();
        let broken = break_last_turn(&rollout);
        let left = replay.call(&["flush", "--timeout", "3m"]).unwrap();
        let why = format!("cannot read {} to its end: ", broken.display());
        assert_eq!(left.code, Some(1), "{}", left.stdout);
        assert!(
            left.stdout.contains("1 turn of 1 of 1 session left"),
            "{}",
            left.stdout
        );
        assert!(left.stdout.contains(&why), "{}", left.stdout);
        for shown in [
            vec!["view"],
            vec!["export", broken.to_str().unwrap(), "--backend", "langsmith"],
        ] {
            let shown = replay.call(&shown).unwrap();
            assert_eq!(shown.code, Some(1), "{}", shown.stdout);
            assert!(
                !shown.stdout.is_empty() && shown.stderr.contains(&why),
                "{}",
                shown.stderr
            );
        }
        let said = replay.call(&["status"]).unwrap().stdout;
        assert!(said.contains("1 pending") && said.contains(&why), "{said}");
        fs::write(&rollout, &whole).unwrap();
        fs::remove_file(&broken).unwrap();
        flush(&replay);
        let got = folded(&collector, product, &replay);
        let what = format!("{product:?}");
        assert_same(&got, &undisturbed(product, SCENARIO), &what, &log(&replay));
        let said = replay.call(&["status"]).unwrap().stdout;
        assert!(!said.contains("cannot read"), "{said}");
    }
}

#[test]
fn a_turn_whose_rollout_is_gone_before_it_was_delivered_is_told_as_lost_by_flush_and_status() {
    for product in PRODUCTS {
        let collector = Collector::start().unwrap();
        let bundles = bundles().unwrap();
        let wrong = "http://127.0.0.1:9";
        let mut replay =
            Replay::recorded("0.169.0", "exec-tool", product, &bundles, wrong).unwrap();
        replay.run().unwrap();
        replay.kill_workers();
        fs::remove_file(rollout(&replay.codex_home())).unwrap();
        for (name, value) in product.settings(&collector.url()) {
            replay.set_env(name, &value);
        }
        // What can be delivered is, now and later.
        for _ in 0..2 {
            let flushed = replay.call(&["flush", "--timeout", "3m"]).unwrap();
            assert_eq!(flushed.code, Some(0), "{}", flushed.stdout);
            let said = &flushed.stdout;
            assert!(said.contains("nothing is left (1 session)"), "{said}");
            assert!(
                said.contains("lost for good: 1 × rollout_missing"),
                "{said}"
            );
        }
        let said = replay.call(&["status"]).unwrap().stdout;
        assert!(
            said.contains("0 delivered, 0 pending, 0 rejected"),
            "{said}"
        );
        assert!(said.contains("1 × rollout_missing"), "{said}");
        assert!(folded(&collector, product, &replay).is_empty());
    }
}
