//! What is valid is found to be so without memory.

#[path = "expressions/shapes.rs"]
#[allow(dead_code, reason = "one of the shapes is enough here")]
mod shapes;

use cel_test::test::v1::Plain;
use peak_alloc::PeakAlloc;
use scribemed_rpc::validate::{Findings, Validate};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn a_valid_message_is_checked_without_memory() {
    let message = Plain {
        s: Some(shapes::full()),
    };
    let check = |message: &Plain| {
        let mut findings = Findings::new();
        message.violations(&mut findings);
        findings.into_result()
    };
    // Patterns are compiled at their first use.
    assert_eq!(check(&message), Ok(()));
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let result = check(&message);
    let peak = MEMORY.peak_usage();
    assert_eq!(result, Ok(()));
    assert_eq!(peak, before);
}
