//! The program: what it says, and its exit codes.

use std::fs;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::contract::{Contract, Edit, SPEECH_2, TODAY, root};

const SHORTER: Edit = Edit::Swap(
    SPEECH_2,
    "rpc UploadTranscription(",
    "seconds: 120",
    "seconds: 90",
);
const ELEMENT: &str = "scribemed.transcription.v2.TranscriptionService.UploadTranscription";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, image: &[u8]| fs::write(folder.path().join(name), image).unwrap();
    let today = Contract::new(&[]).image;
    write("old.binpb", &today);
    write("new.binpb", &Contract::new(&[SHORTER]).image);
    write("cut.binpb", &today[..today.len() / 2]);
    write("noise.binpb", b"\xff\xfe, and no contract");
    write("empty.binpb", b"");
    folder
}

fn check(folder: &TempDir, args: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_scribemed-contract"))
        .arg("check")
        .args(args)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    (output, said)
}

#[test]
fn a_finding_has_place_rule_element_reason_and_remedy() {
    let folder = folder();
    let (output, said) = check(&folder, &["old.binpb", "new.binpb", "--today", TODAY]);
    assert_eq!(output.status.code(), Some(100), "{said}");
    let first = said.lines().next().unwrap();
    assert!(
        first.starts_with("scribemed/transcription/v2/transcription.proto:"),
        "{said}"
    );
    assert!(
        first.ends_with(&format!(": TIMEOUT_SHORTENED {ELEMENT}")),
        "{said}"
    );
    assert!(said.contains("\n  timeout: 120s -> 90s\n"), "{said}");
    assert!(said.contains("\n  remedy: Keep the timeout"), "{said}");
    assert!(said.ends_with("\n1 finding\n"), "{said}");
}

#[test]
fn json_says_the_same() {
    let folder = folder();
    let args = [
        "old.binpb",
        "new.binpb",
        "--today",
        TODAY,
        "--format",
        "json",
    ];
    let (output, said) = check(&folder, &args);
    assert_eq!(output.status.code(), Some(100), "{said}");
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["rule"], "TIMEOUT_SHORTENED");
    assert_eq!(finding["element"], ELEMENT);
    assert_eq!(
        finding["file"],
        "scribemed/transcription/v2/transcription.proto"
    );
    assert!(
        finding["line"].as_u64().unwrap() > 1 && finding["column"] == 3,
        "{said}"
    );
    assert_eq!(finding["reason"], "timeout: 120s -> 90s");
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_the_same_is_fine_until_a_sunset_passes() {
    let folder = folder();
    let (output, said) = check(
        &folder,
        &["old.binpb", "old.binpb", "--today", "2027-10-31"],
    );
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "nothing that breaks anybody\n");
    let (output, said) = check(
        &folder,
        &["old.binpb", "old.binpb", "--today", "2027-11-01"],
    );
    assert_eq!(output.status.code(), Some(100));
    assert!(said.contains("SUNSET_PASSED"), "{said}");
}

#[test]
fn what_the_day_alone_brings_about_can_be_told_only() {
    let folder = folder();
    let element = "scribemed.transcription.v1.TranscriptionService";
    let text = format!(
        "[[allow]]\nrule = \"REMOVED_BEFORE_SUNSET\"\nelement = \"{element}\"\nreason = \"decided\"\n"
    );
    fs::write(folder.path().join("allowed.toml"), text).unwrap();
    let args = |new| {
        let day = ["--today", "2027-11-01", "--calendar", "notice"];
        [&["old.binpb", new][..], &day, &["--allow", "allowed.toml"]].concat()
    };
    let (output, said) = check(&folder, &args("old.binpb"));
    assert!(output.status.success(), "{said}");
    for line in [
        &format!(": notice: SUNSET_PASSED {element}\n  its sunset was 2027-11-01, and today is "),
        &format!("allowed.toml:1:1: notice: ALLOWANCE_STALE {element}\n"),
        "\nnothing that breaks anybody, 2 notices\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // What somebody changed is a finding on that day, too.
    let (output, said) = check(&folder, &args("new.binpb"));
    assert_eq!(output.status.code(), Some(100), "{said}");
    assert!(said.ends_with("\n1 finding, 2 notices\n"), "{said}");
}

#[test]
fn an_allowance_that_one_of_several_comparisons_needs_is_not_stale() {
    let folder = folder();
    let text = format!(
        "[[allow]]\nrule = \"TIMEOUT_SHORTENED\"\nelement = \"{ELEMENT}\"\nreason = \"measured\"\n"
    );
    fs::write(folder.path().join("allowed.toml"), text).unwrap();
    let args = [
        "new.binpb",
        "new.binpb",
        "--today",
        TODAY,
        "--allow",
        "allowed.toml",
    ];
    let (output, said) = check(&folder, &args);
    assert_eq!(output.status.code(), Some(100), "{said}");
    assert!(
        said.starts_with("allowed.toml:1:1: ALLOWANCE_STALE"),
        "{said}"
    );
    let (output, said) = check(&folder, &[&args[..], &["--also", "old.binpb"]].concat());
    assert!(output.status.success(), "{said}");
}

#[test]
fn an_image_without_source_info_names_the_file() {
    let released = root().join("proto/golden/released.binpb");
    let folder = folder();
    let path = released.to_str().unwrap();
    let (output, said) = check(&folder, &[path, path, "--today", "2027-11-01"]);
    assert_eq!(output.status.code(), Some(100), "{said}");
    let expect = "scribemed/transcription/v1/transcription.proto: SUNSET_PASSED ";
    assert!(said.starts_with(expect), "{said}");
}

#[test]
fn bad_input_is_one_line_and_exit_code_2() {
    let folder = folder();
    fs::write(folder.path().join("bad.toml"), "[[allow]]\n").unwrap();
    for (args, expect) in [
        (
            &["cut.binpb", "new.binpb"][..],
            "cut.binpb is no image of a contract, or is cut off",
        ),
        (
            &["old.binpb", "noise.binpb"],
            "noise.binpb is no image of a contract",
        ),
        (
            &["old.binpb", "empty.binpb"],
            "empty.binpb is no image of a contract",
        ),
        (&["none.binpb", "old.binpb"], "none.binpb cannot be read"),
        (
            &["old.binpb", "old.binpb", "--also", "cut.binpb"],
            "cut.binpb is no image",
        ),
        (
            &["old.binpb", "new.binpb", "--allow", "bad.toml"],
            "bad.toml cannot be understood",
        ),
        (
            &["old.binpb", "new.binpb", "--allow", "none.toml"],
            "none.toml cannot be read",
        ),
    ] {
        let (output, _) = check(&folder, args);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains(expect), "{line}");
    }
    let (output, _) = check(&folder, &["old.binpb", "new.binpb", "--today", "tomorrow"]);
    assert_eq!(output.status.code(), Some(2));
}
