//! Breaks that were decided.

use std::fs;
use std::path::PathBuf;

use scribemed_contract::check::allow::Allowed;
use scribemed_contract::check::{Finding, check, report};
use tempfile::TempDir;

use crate::contract::{Contract, Edit, SPEECH_2, TODAY};

const ELEMENT: &str = "scribemed.transcription.v2.TranscriptionService.UploadTranscription";

fn shortened() -> Vec<Finding> {
    let edit = Edit::Swap(
        SPEECH_2,
        "rpc UploadTranscription(",
        "seconds: 120",
        "seconds: 90",
    );
    check(
        &Contract::new(&[]).pool(),
        &Contract::new(&[edit]).pool(),
        TODAY,
    )
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("allowed.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn entry(rule: &str, element: &str, reason: &str) -> String {
    format!("[[allow]]\nrule = {rule:?}\nelement = {element:?}\nreason = {reason:?}\n")
}

#[test]
fn a_break_that_was_decided_is_told_and_no_finding() {
    let (_folder, path) = file(&entry("TIMEOUT_SHORTENED", ELEMENT, "measured"));
    let outcome = Allowed::read(&path).unwrap().apply(shortened());
    assert!(outcome.findings.is_empty(), "{outcome:?}");
    let text = report::text(&outcome);
    assert!(text.contains("because: measured"), "{text}");
    assert!(
        text.ends_with("nothing that breaks anybody, 1 allowed\n"),
        "{text}"
    );
}

#[test]
fn an_entry_for_another_rule_or_element_allows_nothing_and_is_stale() {
    for (rule, element) in [
        ("PERMISSION_ADDED", ELEMENT),
        (
            "TIMEOUT_SHORTENED",
            "scribemed.transcription.v2.TranscriptionService",
        ),
    ] {
        let (_folder, path) = file(&format!("# Decided.\n\n{}", entry(rule, element, "no")));
        let outcome = Allowed::read(&path).unwrap().apply(shortened());
        let mut found: Vec<_> = outcome
            .findings
            .iter()
            .map(|finding| finding.rule.id)
            .collect();
        found.sort_unstable();
        assert_eq!(found, ["ALLOWANCE_STALE", "TIMEOUT_SHORTENED"]);
        let stale = outcome
            .findings
            .iter()
            .find(|finding| finding.rule.id == "ALLOWANCE_STALE");
        let stale = stale.unwrap();
        assert_eq!(stale.element, element);
        assert_eq!(stale.place.line, Some(3));
        assert!(stale.reason.contains(rule), "{}", stale.reason);
    }
}

#[test]
fn a_file_that_says_too_little_is_refused_in_one_line() {
    for (text, expect) in [
        (
            "[[allow]]\nrule = \"TIMEOUT_SHORTENED\"\nelement = \"a\"\n".to_owned(),
            "missing field `reason`",
        ),
        (
            entry("TIMEOUT_SHORTENED", ELEMENT, "  "),
            "1: reason is empty",
        ),
        (entry("TIMEOUT_SHORTENED", "", "x"), "1: element is empty"),
        (
            entry("TIMEOUT_SHORTEND", ELEMENT, "x"),
            "did you mean TIMEOUT_SHORTENED?",
        ),
        (entry("ALLOWANCE_STALE", ELEMENT, "x"), "there is no rule"),
        (
            entry("TIMEOUT_SHORTENED", ELEMENT, "x").repeat(2),
            "5: TIMEOUT_SHORTENED is allowed for",
        ),
        ("[[allowed]]\n".to_owned(), "unknown field `allowed`"),
        ("allow = ".to_owned(), "cannot be understood"),
    ] {
        let (_folder, path) = file(&text);
        let error = Allowed::read(&path).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        assert!(error.contains("allowed.toml"), "{error}");
    }
}
