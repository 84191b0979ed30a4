//! Each harness holds for its seeds and for many changes of them, the same ones in each run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scribemed_fuzz_harness::{Harness, TARGETS};

const CHANGES: usize = 5_000;
/// What parsers trip over.
const TRICKS: [&[u8]; 14] = [
    b"\0",
    b"\n",
    b"\\",
    b"\"",
    b"%",
    b"[",
    b"]",
    b"{}",
    b":",
    b"//",
    b"-1",
    b"99999999999",
    b"\xff",
    "é".as_bytes(),
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

/// In order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(corpus().join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn run(target: &str, harness: Harness, input: &[u8]) {
    let held = catch_unwind(|| harness(input)).is_ok();
    assert!(held, "{target} does not hold for: {}", input.escape_ascii());
}

/// One to eight small changes.
fn changed(seeds: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut input = seeds[rng.random_range(0..seeds.len())].clone();
    for _ in 0..rng.random_range(1..=8) {
        let at = rng.random_range(0..=input.len());
        let end = rng.random_range(at..=input.len().min(at + 16));
        match rng.random_range(0..7) {
            0 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8),
            1 if at < input.len() => input[at] = rng.random(),
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                let to = rng.random_range(0..=input.len());
                drop(input.splice(to..to, piece));
            }
            4 => {
                let other = &seeds[rng.random_range(0..seeds.len())];
                let from = rng.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            5 => input.insert(at, rng.random_range(b' '..=b'~')),
            _ => {
                let trick = TRICKS[rng.random_range(0..TRICKS.len())];
                drop(input.splice(at..at, trick.iter().copied()));
            }
        }
    }
    input
}

fn check(target: &str) {
    let (_, harness) = TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let seeds = seeds(target);
    run(target, harness, b"");
    for seed in &seeds {
        run(target, harness, seed);
    }
    let mut rng = StdRng::seed_from_u64(50_801);
    for _ in 0..CHANGES {
        run(target, harness, &changed(&seeds, &mut rng));
    }
}

#[test]
fn target_uri() {
    check("target_uri");
}

#[test]
fn grpc_timeout() {
    check("grpc_timeout");
}

#[test]
fn pushback() {
    check("pushback");
}

#[test]
fn metadata() {
    check("metadata");
}

#[test]
fn service_config() {
    check("service_config");
}

#[test]
fn token() {
    check("token");
}

/// A target without seeds or without a program would never be run.
#[test]
fn every_target_has_its_seeds_and_its_program() {
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let listed = |folder: &Path| {
        let mut found: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        found.sort();
        found
    };
    assert_eq!(listed(&corpus()), names);
    assert_eq!(listed(&corpus().join("../fuzz_targets")), names);
    for name in names {
        assert!(!seeds(&name).is_empty(), "{name}");
    }
}
