//! Each expression of `proto` against three shapes: what is broken, and what cannot be evaluated. The outcomes are those of
//! cel-go 0.32 with protovalidate's functions, but for the keys of a map, which have no order there.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod shapes;

use cel_test::test::v1::{
    Arithmetic, Conversions, Fields, Formats, Lists, Logic, Macros, Maps, Order, Presence, Texts,
    Times, Wrappers,
};
use scribemed_rpc::validate::{Findings, Validate};

/// The rules that `message` breaks, then those that cannot be evaluated.
fn outcome(message: &impl Validate) -> String {
    // 2026-01-01T00:00:00Z
    let mut findings = Findings::at(1_767_225_600_000_000_000);
    message.violations(&mut findings);
    let violations = findings.into_result().err().unwrap_or_default();
    let ids = |failed: bool| {
        let ids = violations
            .iter()
            .filter(|violation| violation.failed == failed);
        ids.map(|violation| violation.rule)
            .collect::<Vec<_>>()
            .join(" ")
    };
    format!("{} | {}", ids(false), ids(true))
}

macro_rules! check {
    ($($topic:ident: $expect:expr),+ $(,)?) => {
        let mut wrong = String::new();
        $(
            for (shape, expect) in [shapes::empty(), shapes::full(), shapes::odd()].into_iter().zip($expect) {
                let message = $topic { s: Some(shape) };
                let found = outcome(&message);
                if found != expect {
                    wrong += &format!("{}: {found:?} instead of {expect:?}\n", stringify!($topic));
                }
            }
        )+
        assert!(wrong.is_empty(), "{wrong}");
    };
}

#[test]
fn are_broken_and_kept_as_cel_go_has_it() {
    check! {
        Fields: [
            "1 2 3 4 5 6 7 8 9 10 12 14 15 16 17 18 19 20 21 27 28 29 32 | 33",
            "30 | 33",
            "1 2 3 4 5 6 7 8 9 10 12 14 15 16 17 18 19 20 21 27 28 29 30 32 | 33",
        ],
        Presence: [
            "2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 | ",
            "8 12 17 | ",
            "2 8 11 12 14 15 17 18 19 | ",
        ],
        Wrappers: [
            "1 3 4 6 7 8 14 15 17 | 9 11",
            "2 5 14 16 | ",
            "1 2 4 6 7 8 9 10 11 13 15 17 | ",
        ],
        Arithmetic: [
            "1 2 3 4 5 6 7 12 13 14 18 | 8 9 10 11",
            " | 8 9 10 15",
            "1 2 4 5 6 7 8 11 12 13 14 18 | 3 9 10",
        ],
        Order: [
            "1 2 5 6 7 11 13 15 | ",
            "7 | ",
            "1 4 5 6 7 10 11 13 16 | ",
        ],
        Logic: [
            "3 4 8 9 10 11 12 13 14 15 | 1 2",
            "5 6 9 | 3 4",
            "3 4 7 8 9 10 11 12 13 14 15 | 1 2",
        ],
        Lists: [
            "1 2 7 8 9 10 11 12 13 15 16 17 18 19 21 23 29 30 31 32 | 3 4 5 6 24 28",
            "11 16 20 23 26 | 4 5",
            "1 8 9 11 13 15 16 17 18 19 20 23 24 26 27 28 29 30 31 32 | 4 5",
        ],
        Macros: [
            "2 3 4 5 6 7 11 13 16 17 18 19 21 22 23 24 25 | 8 9 12",
            "13 | 15 17",
            "1 3 4 5 6 7 8 10 11 12 15 20 21 22 23 24 26 27 28 | 14 17 18 19",
        ],
        Maps: [
            "6 7 8 11 14 15 16 19 | 1 2 3 4 5 9 10 18",
            "7 | 3 5",
            "4 6 7 8 11 12 13 15 19 | 1 2 3 5 9 10 18",
        ],
        Conversions: [
            "1 2 5 6 7 9 11 12 15 16 17 21 24 25 | 4 20 22 23",
            " | 4 7 20 22 23",
            "5 7 9 11 12 15 16 17 21 25 | 1 2 4 6 20 22 23",
        ],
        Times: [
            "1 2 4 5 6 7 8 9 10 11 13 14 15 | ",
            "19 | 17",
            "1 2 4 5 6 8 9 10 11 14 15 19 | ",
        ],
        Texts: [
            "1 2 3 4 8 9 11 12 13 14 15 19 20 22 23 24 25 27 28 30 | 6 7 10 16 17 18",
            "4 25 26 28 30 | 7 10 18",
            "1 2 3 4 6 7 8 9 11 12 13 14 15 16 17 19 20 22 23 24 26 27 28 30 | 10 18",
        ],
        Formats: [
            "1 2 3 4 5 6 7 8 9 10 11 12 15 18 | ",
            "18 | ",
            "1 2 3 4 5 6 7 8 9 10 11 12 15 18 | ",
        ],
    }
}
