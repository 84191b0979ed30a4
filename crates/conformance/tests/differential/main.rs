//! What our validators find in random messages, and what prost-protovalidate finds, which reads the rules at run time.
//!
//! The messages are those of protovalidate's suite and of `tests/rules`: they have every rule there is. Their values are
//! drawn around the bounds that their rules name, and the encoded messages are changed here and there. A seed gives the
//! same messages each time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod draw;
mod harvest;
mod oracle;

use std::collections::BTreeSet;

use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scribemed_conformance::{Check, Executor};
use scribemed_rpc::validate::Findings;

use crate::draw::Draw;
use crate::harvest::Harvest;
use crate::oracle::{DIFFERENT, Oracle, Verdict};

/// Of each message, as drawn.
const DRAWN: usize = 150;
/// Of each drawn message, with bytes changed.
const CHANGED: usize = 2;
/// For rules that ask for the time: 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

/// What was compared.
#[derive(Default)]
struct Counts {
    types: usize,
    values: usize,
    invalid: usize,
}

#[test]
fn both_find_the_same() {
    assert!(
        scribemed_conformance::are_there(),
        "it was built without the cases; run `cargo xtask conformance`"
    );
    let executor = Executor::new().unwrap();
    let oracle = Oracle::new(NOW);
    let mut counts = Counts::default();
    let mut differ = Vec::new();
    let mut known: BTreeSet<&str> = DIFFERENT.iter().map(|(message, _)| *message).collect();
    for (message, check) in executor.checks() {
        if oracle::has_required(&message) {
            continue;
        }
        counts.types += 1;
        if let Some(difference) = difference(&oracle, &message, check, &mut counts)
            && !known.remove(message.name())
        {
            differ.push(difference);
        }
    }
    let Counts {
        types,
        values,
        invalid,
    } = counts;
    eprintln!("{types} messages, {values} values of them, {invalid} invalid");
    assert!(
        differ.is_empty(),
        "{} of {types} messages are judged differently:\n{}",
        differ.len(),
        differ.join("\n")
    );
    assert!(
        known.is_empty(),
        "not seen any more, so strike them off: {known:?}"
    );
    // Most rules are broken by some value and kept by some.
    assert!(
        invalid * 5 > values && invalid * 5 < values * 4,
        "{invalid} of {values}"
    );
}

/// The first value of a message that the two judge differently, and how.
fn difference(
    oracle: &Oracle,
    message: &MessageDescriptor,
    check: Check,
    counts: &mut Counts,
) -> Option<String> {
    for encoded in messages(message) {
        let Some((ours, theirs)) = both(oracle, message, check, &encoded) else {
            continue;
        };
        counts.values += 1;
        counts.invalid += usize::from(ours != Verdict::default());
        if ours != theirs && !ours.is_cut() {
            let value = DynamicMessage::decode(message.clone(), &*encoded).unwrap();
            let value = serde_json::to_string(&value).unwrap_or_else(|_| format!("{encoded:?}"));
            return Some(format!(
                "{}: {value}\n  ours alone   {:?}\n  theirs alone {:?}",
                message.full_name(),
                ours.without(&theirs),
                theirs.without(&ours)
            ));
        }
    }
    None
}

/// The same values for the same message, whatever else is drawn.
fn messages(message: &MessageDescriptor) -> Vec<Vec<u8>> {
    let seed = message.full_name().bytes().fold(1, |seed: u64, byte| {
        seed.wrapping_mul(31).wrapping_add(byte.into())
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let harvest = Harvest::of(message, NOW);
    let mut out = vec![Vec::new()];
    for _ in 0..DRAWN {
        let drawn = Draw::new(&mut rng, &harvest).message(message, 0);
        let encoded = drawn.encode_to_vec();
        for _ in 0..CHANGED {
            out.push(changed(&mut rng, &encoded));
        }
        out.push(encoded);
    }
    out
}

fn changed(rng: &mut StdRng, encoded: &[u8]) -> Vec<u8> {
    let mut out = encoded.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=out.len());
        match rng.random_range(0..3) {
            0 if at < out.len() => out[at] ^= 1 << rng.random_range(0..8),
            1 if at < out.len() => drop(out.remove(at)),
            _ => out.insert(at, rng.random()),
        }
    }
    out
}

/// What ours and theirs say, if it is a message at all.
fn both(
    oracle: &Oracle,
    message: &MessageDescriptor,
    check: Check,
    encoded: &[u8],
) -> Option<(Verdict, Verdict)> {
    let ours = check(encoded, Findings::at(i128::from(NOW) * 1_000_000_000));
    let dynamic = DynamicMessage::decode(message.clone(), encoded);
    let (Ok(ours), Ok(dynamic)) = (ours, dynamic) else {
        return None;
    };
    if oracle::holds_no_time(&dynamic) {
        return None;
    }
    Some((Verdict::ours(&ours), oracle.judge(&dynamic)))
}
