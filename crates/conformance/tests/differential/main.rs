//! What our validators find in random messages, and what prost-protovalidate finds, which reads the rules at run time.
//!
//! The messages are those of protovalidate's suite: they have every rule there is. Their values are drawn around the bounds
//! that their rules name, and the encoded messages are changed here and there. A seed gives the same messages each time.
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
use crate::oracle::{Oracle, Verdict};

/// Of each message, as drawn.
const DRAWN: usize = 150;
/// Of each drawn message, with bytes changed.
const CHANGED: usize = 2;
/// For rules that ask for the time: 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

#[test]
fn both_find_the_same() {
    let executor = Executor::new().unwrap();
    let oracle = Oracle::new(NOW);
    let (mut types, mut compared, mut invalid) = (0, 0, 0);
    let mut differ = BTreeSet::new();
    let mut shown = Vec::new();
    for (message, check) in executor.checks() {
        if oracle::mistake(message.full_name()).is_some() || oracle::has_required(&message) {
            continue;
        }
        types += 1;
        for encoded in messages(&message) {
            let Some((ours, theirs)) = both(&oracle, &message, check, &encoded) else {
                continue;
            };
            compared += 1;
            invalid += usize::from(ours != Verdict::default());
            if ours != theirs && differ.insert(message.full_name().to_owned()) {
                let text = DynamicMessage::decode(message.clone(), &*encoded).unwrap();
                let text = serde_json::to_string(&text).unwrap_or_else(|_| format!("{encoded:?}"));
                shown.push(format!(
                    "{}: {text}\n  ours   {ours:?}\n  theirs {theirs:?}",
                    message.full_name()
                ));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {types} messages are judged differently:\n{}",
        differ.len(),
        shown.join("\n")
    );
    assert!(
        types > 0,
        "it was built without cases; run `cargo xtask conformance`"
    );
    eprintln!("{types} messages, {compared} values of them, {invalid} invalid");
    // Most rules are broken by some value and kept by some.
    assert!(
        invalid * 5 > compared && invalid * 5 < compared * 4,
        "{invalid} of {compared}"
    );
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
    Some((Verdict::ours(&ours), oracle.judge(&dynamic)))
}
