//! Throughput, memory and resume cost of the assembler over a generated session.
//!
//! `cargo run --release -p codex-tracing-transcript --example bench_transcript [MEGABYTES] [small]`
//!
//! Prints the throughput of `serde_json::from_slice::<IgnoredAny>` per line over the same bytes
//! in the same run, that of the assembler, their ratio, the peak of resident memory, and what
//! resuming at the end of the session costs compared with reading it whole. `small` leaves out the
//! tool outputs at Codex's cap: the worst case, in which nearly every byte is structure.
#![expect(clippy::print_stdout, reason = "the numbers are the result")]

mod session;

use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use codex_tracing_transcript::{Assembler, Carry, Lines, Tail, Verbatim};
use serde::de::IgnoredAny;

/// The best of these counts: on a shared machine most rounds measure the others.
const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let megabytes: u64 = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok())
        .unwrap_or(200);
    let path = std::env::temp_dir().join(format!("bench-transcript-{}.jsonl", std::process::id()));
    let big_outputs = std::env::args().nth(2).is_none_or(|word| word != "small");
    let mut file = BufWriter::new(File::create(&path)?);
    let written = session::write(&mut file, megabytes * 1_000_000, big_outputs)?;
    let result = measure(&path, written);
    std::fs::remove_file(&path)?;
    result
}

fn measure(path: &Path, bytes: u64) -> io::Result<()> {
    let mut baseline = Duration::MAX;
    let mut whole = Duration::MAX;
    let mut end = None;
    let mut turns = 0;
    for _ in 0..ROUNDS {
        baseline = baseline.min(parse_only(path)?);
        let (took, carry, count) = assemble(path, None)?;
        whole = whole.min(took);
        end = carry;
        turns = count;
    }
    let mut resumed = Duration::MAX;
    for _ in 0..ROUNDS {
        let (took, ..) = assemble(path, end.clone())?;
        resumed = resumed.min(took);
    }
    let rate = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
    println!(
        "session            {:>10.1} MB, {turns} turns",
        bytes as f64 / 1e6
    );
    println!("baseline           {:>10.1} MB/s", rate(baseline));
    println!("assembler          {:>10.1} MB/s", rate(whole));
    println!("ratio              {:>10.3}", rate(whole) / rate(baseline));
    println!("peak memory        {:>10.1} MiB", peak_mebibytes());
    println!(
        "resume             {:>10.3} ms",
        resumed.as_secs_f64() * 1e3
    );
    println!(
        "resume / whole     {:>10.5}",
        resumed.as_secs_f64() / whole.as_secs_f64()
    );
    Ok(())
}

/// Time spent in parsing alone, the file being read in pieces as the assembler reads it.
fn parse_only(path: &Path) -> io::Result<Duration> {
    let mut file = File::open(path)?;
    let mut lines = Lines::new(0);
    let mut buffer = vec![0; 256 * 1024];
    let mut bad = 0_u64;
    let begun = Instant::now();
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        lines.push(buffer.get(..count).unwrap_or_default(), &mut |_, line| {
            bad += u64::from(serde_json::from_slice::<IgnoredAny>(line).is_err());
        });
    }
    let took = begun.elapsed();
    assert_eq!(bad, 0, "the generated session is not JSON");
    Ok(took)
}

/// Reads a session to its end, taking turns as a worker would, and drops them.
fn assemble(path: &Path, carry: Option<Carry>) -> io::Result<(Duration, Option<Carry>, u32)> {
    let scrub = Arc::new(Verbatim);
    let identity = Tail::open(path)?.identity();
    let begun = Instant::now();
    let (mut tail, mut assembler) = match (carry, identity) {
        (Some(carry), Some(identity)) => (
            Tail::resume(path, &identity, carry.offset)?,
            Assembler::resume(scrub, carry),
        ),
        _ => (Tail::open(path)?, Assembler::new(scrub)),
    };
    let mut last = 0;
    tail.read(&mut |offset, line| {
        assembler.push(offset, line);
        for turn in assembler.take_turns() {
            last = last.max(turn.number);
        }
    })?;
    let took = begun.elapsed();
    assert!(assembler.skipped().is_empty(), "{:?}", assembler.skipped());
    Ok((took, assembler.carry(last), last))
}

/// The highest resident memory of this process so far, where the system tells it.
fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes: Option<f64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kibibytes.unwrap_or(f64::NAN) / 1024.0
}
