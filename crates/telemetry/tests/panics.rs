//! What a panic leaves in the log of a process.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::process::Command;

use scribemed_telemetry::Format;

const CHILD: &str = "SCRIBEMED_TEST_PANIC";

/// In a process of its own: the log, and what is done on a panic, belong to the whole process.
#[test]
fn a_message_that_was_put_together_is_not_logged() {
    if let Ok(said) = std::env::var(CHILD) {
        scribemed_telemetry::init(Format::Json, "trace").unwrap();
        let told = std::panic::catch_unwind(|| panic!("cannot draft {said}"));
        let fixed = std::panic::catch_unwind(|| panic!("the cupboard is bare"));
        assert!(told.is_err() && fixed.is_err());
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--nocapture",
            "a_message_that_was_put_together_is_not_logged",
        ])
        .env(CHILD, "zzyzxa quimbeldorf")
        .output()
        .unwrap();
    let log = String::from_utf8(child.stderr).unwrap();
    assert!(child.status.success(), "{log}");
    assert_eq!(log.matches("\"message\":\"panicked\"").count(), 2, "{log}");
    assert!(log.contains("\"said\":\"the cupboard is bare\""), "{log}");
    assert!(log.contains("panics.rs"), "{log}");
    assert!(!log.contains("quimbeldorf"), "{log}");
}
