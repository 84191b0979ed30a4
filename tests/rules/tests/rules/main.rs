//! Each standard rule of protovalidate: what keeps it is valid, and what breaks it is named as protovalidate does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod complete;
mod numbers;
mod others;
mod texts;

use scribemed_rpc::validate::{Findings, Validate};

/// For rules that ask for the time, in seconds since 1970.
const NOW: i64 = 1_000;

/// What is wrong with a message, as `field: message [rule]`, with the rule's path where it is another.
fn broken(message: &impl Validate) -> Vec<String> {
    let mut findings = Findings::at(i128::from(NOW) * 1_000_000_000);
    message.violations(&mut findings);
    let violations = findings.into_result().err().unwrap_or_default();
    violations
        .iter()
        .map(|violation| {
            let mut text = format!("{violation} [{}]", violation.rule);
            if violation.rule_path != violation.rule {
                text += &format!(" by [{}]", violation.rule_path);
            }
            if violation.for_key {
                text += " for the key";
            }
            text
        })
        .collect()
}

/// A change of a message, and what it breaks, a line for each violation.
type Change<M> = (fn(&mut M), &'static str);

/// A message that is valid, changed in one way after the other.
fn check<M: Validate + Clone>(valid: &M, changes: &[Change<M>]) {
    assert_eq!(broken(valid), Vec::<String>::new());
    for (change, expect) in changes {
        let mut message = valid.clone();
        change(&mut message);
        let expect: Vec<&str> = expect.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(broken(&message), expect);
    }
}
