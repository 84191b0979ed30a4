//! How many calls ended how.

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::{Code, Status};

use crate::failure;

/// Failures that are told in full: the first ones say most.
const TOLD: usize = 5;

/// How many calls ended how.
#[derive(Debug, Default)]
pub(super) struct Tally {
    codes: BTreeMap<String, u64>,
    slowest: Duration,
    failures: Vec<String>,
}

impl Tally {
    pub(super) fn add(&mut self, (result, took): (Result<(), Status>, Duration)) {
        let code = result.as_ref().err().map_or(Code::Ok, Status::code);
        *self.codes.entry(format!("{code:?}")).or_default() += 1;
        self.slowest = self.slowest.max(took);
        if let Err(status) = result
            && self.failures.len() < TOLD
        {
            self.failures.push(failure::of_status(&status));
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.codes.values().sum()
    }

    pub(super) fn failed(&self) -> u64 {
        self.calls() - self.codes.get("Ok").copied().unwrap_or_default()
    }

    /// Calls, failures, calls by code, the slowest call in milliseconds, and the first failures.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "calls": self.calls(),
            "failed": self.failed(),
            "codes": self.codes,
            "slowest_ms": self.slowest.as_secs_f64() * 1e3,
            "failures": self.failures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_code_and_tells_the_first_failures() {
        let mut tally = Tally::default();
        tally.add((Ok(()), Duration::from_millis(3)));
        for _ in 0..7 {
            let status = Status::unavailable("transcription cannot be reached");
            tally.add((Err(status), Duration::from_millis(250)));
        }
        tally.add((
            Err(Status::deadline_exceeded("late")),
            Duration::from_millis(1),
        ));
        let json = tally.json();
        assert_eq!((tally.calls(), tally.failed()), (9, 8));
        assert_eq!(json["codes"]["Ok"], 1);
        assert_eq!(json["codes"]["Unavailable"], 7);
        assert_eq!(json["slowest_ms"], 250.0);
        assert_eq!(json["failures"].as_array().map(Vec::len), Some(TOLD));
        assert!(
            json["failures"][0]
                .as_str()
                .is_some_and(|told| told.contains("cannot be reached"))
        );
    }
}
