//! The fuzz target's promises for a bounded number of mutated seeds, on the stable compiler.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test")]

#[path = "../fuzz/invariants.rs"]
#[expect(
    unreachable_pub,
    reason = "shared with the fuzz target, where it is a crate of its own"
)]
mod invariants;

/// Seeds that once broke something, or nearly.
const SEEDS: &[&str] = &[
    "\x00data:image/png;base64,",
    "\x00{\"password\":\"hunter2\",\"a\":[\"--token\",\"abcdefgh\"]}",
    "\x00token\\\\n=abcdef\\nAKIAFAKEFAKEFAKEFAKE",
    "\x07postgres://a:b@c eyJa.eyJb.c bearer 0123456789",
    "\x01-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAA\n",
    "\x00[\"\\ud800 ya29.FAKE\"]",
];

#[test]
fn what_the_fuzzer_came_upon_is_taken() {
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/redact");
    let seeds: Vec<_> = std::fs::read_dir(seeds).unwrap().collect();
    assert!(seeds.len() > 20, "{seeds:?}");
    for seed in seeds {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        invariants::check(&bytes);
    }
}

#[test]
fn mutated_seeds_break_no_promise() {
    let files = [
        include_str!("data/outputs/shell.txt"),
        include_str!("data/outputs/config.txt"),
        include_str!("data/outputs/http.txt"),
        include_str!("data/ordinary.txt"),
    ];
    let blocks = files.iter().flat_map(|file| file.split("=== "));
    let mut seeds: Vec<Vec<u8>> = SEEDS.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    seeds.extend(blocks.map(|block| block.as_bytes().to_vec()));
    for seed in &seeds {
        invariants::check(seed);
    }
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..1_500 {
        let mut bytes = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            mutate(&mut bytes, &seeds, &mut random);
        }
        bytes.truncate(4_000);
        invariants::check(&bytes);
    }
}

fn mutate(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
        2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        3 if at < bytes.len() => drop(bytes.drain(at..(at + random.below(9)).min(bytes.len()))),
        _ => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            let piece = &other[from..(from + random.below(200)).min(other.len())];
            let tail = bytes.split_off(at);
            bytes.extend_from_slice(piece);
            bytes.extend(tail);
        }
    }
}

/// Always the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}
