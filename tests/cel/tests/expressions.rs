//! Each expression of `proto` against three shapes: what is broken, and what cannot be evaluated.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "expressions/shapes.rs"]
mod shapes;

use cel_test::test::v1::{
    Arithmetic, Conversions, Fields, Formats, Lists, Logic, Macros, Maps, Order, Presence, Texts, Times, Wrappers,
};
use scribemed_rpc::validate::{Findings, Validate};

/// The rules that `message` breaks, then those that cannot be evaluated.
fn outcome(message: &impl Validate) -> String {
    // 2026-01-01T00:00:00Z
    let mut findings = Findings::at(1_767_225_600_000_000_000);
    message.violations(&mut findings);
    let violations = findings.into_result().err().unwrap_or_default();
    let ids = |failed: bool| {
        let ids = violations.iter().filter(|violation| violation.failed == failed);
        ids.map(|violation| violation.rule).collect::<Vec<_>>().join(" ")
    };
    format!("{} | {}", ids(false), ids(true))
}

macro_rules! check {
    ($($topic:ident: $expect:expr),+ $(,)?) => {
        let mut wrong = String::new();
        $(
            for (shape, expect) in [shapes::empty(), shapes::full(), shapes::odd()].into_iter().zip($expect) {
                let message = $topic { s: Some(shape) };
                if std::env::var_os("CEL_CASES").is_some() {
                    let bytes = prost::Message::encode_to_vec(&message);
                    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
                    println!("CASE cel.test.v1.{} {hex} {}", stringify!($topic), outcome(&message));
                }
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
        Fields: ["", "", ""],
        Presence: ["", "", ""],
        Wrappers: ["", "", ""],
        Arithmetic: ["", "", ""],
        Order: ["", "", ""],
        Logic: ["", "", ""],
        Lists: ["", "", ""],
        Macros: ["", "", ""],
        Maps: ["", "", ""],
        Conversions: ["", "", ""],
        Times: ["", "", ""],
        Texts: ["", "", ""],
        Formats: ["", "", ""],
    }
}
