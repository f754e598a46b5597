//! The fuzz targets over their committed corpus and mutations of it; FF_FUZZ says how many of each. `make fuzz` lets
//! libFuzzer look for more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

#[path = "../../fuzz/targets.rs"]
mod targets;

/// A generator of mutations: xorshift, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// A few bytes changed, removed, repeated, or put in from elsewhere.
fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'[', b'9'][random.below(8)],
            2 => bytes.truncate(at),
            3 => {
                let other = &corpus[random.below(corpus.len())];
                let (from, length) = (random.below(other.len()), random.below(24));
                bytes.splice(at..at, other[from..other.len().min(from + length)].iter().copied());
            }
            _ => drop(bytes.drain(at..bytes.len().min(at + random.below(8)))),
        }
    }
    bytes
}

#[test]
fn whatever_is_read_is_a_value_or_an_error() {
    let executions = std::env::var("FF_FUZZ").ok().and_then(|given| given.parse().ok()).unwrap_or(1500);
    for (name, target) in targets::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut paths: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let corpus: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
        assert!(corpus.len() > 1, "{}", folder.display());
        let place = tempfile::tempdir().unwrap();
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for execution in 0..corpus.len() + executions {
            let bytes = corpus.get(execution).cloned().unwrap_or_else(|| mutated(&mut random, &corpus));
            let began = Instant::now();
            let end = catch_unwind(AssertUnwindSafe(|| target(place.path(), &bytes)));
            assert!(end.is_ok(), "{name}: panics at {bytes:?}");
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{name}: takes {:?}: {bytes:?}",
                began.elapsed()
            );
        }
    }
}
