//! What breaks callers is seen, end to end: a copy of the contract in a repository of its own, changed, and `xtask proto` run
//! in it. Each kind of break that buf sees is made once here; those of our own tool are in its tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod kinds;
mod repository;

use std::fs;

use kinds::BREAKS;
use repository::{
    ALLOWED, AUTH, Edit, NOTES_1, RELEASED, SPEECH_1, SPEECH_2, edit, format, git, repository,
    xtask,
};
use tempfile::TempDir;

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn an_unchanged_contract_passes() {
    let repository = repository();
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    for line in [
        "  fine  format                buf format\n",
        "  fine  compatible            buf breaking, against the merge base ",
        "  fine  what buf cannot see   scribemed-contract check, against the merge base ",
    ] {
        let line: Vec<&str> = line.split_whitespace().collect();
        let is_there = |known: &str| {
            known
                .split_whitespace()
                .collect::<Vec<_>>()
                .starts_with(&line)
        };
        assert!(said.lines().any(is_there), "{line:?}: {said}");
    }
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn each_kind_of_break_that_buf_sees_is_seen() {
    let repository = repository();
    let mut wrong = Vec::new();
    for (kind, edit, expect) in BREAKS {
        let old = edit.apply(&repository);
        let (success, said) = xtask(&repository, "proto");
        if success || !said.contains(expect) {
            wrong.push(format!("{kind}: {said}"));
        }
        fs::write(repository.path().join(edit.file), old).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const SHORTER: Edit = edit(
    SPEECH_2,
    "rpc UploadTranscription(",
    "seconds: 120",
    "seconds: 90",
);
const SHORTENED: &str =
    "TIMEOUT_SHORTENED scribemed.transcription.v2.TranscriptionService.UploadTranscription";

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn what_buf_cannot_see_fails_the_check_until_it_is_allowed_by_name() {
    let repository = repository();
    let old = SHORTER.apply(&repository);
    let (success, said) = xtask(&repository, "proto");
    assert!(!success, "{said}");
    assert!(
        said.contains(&format!(
            "transcription.proto:{}: {SHORTENED}",
            place(&repository)
        )),
        "{said}"
    );
    let allowed = repository.path().join(ALLOWED);
    let (rule, element) = SHORTENED.split_once(' ').unwrap();
    let entry =
        format!("[[allow]]\nrule = \"{rule}\"\nelement = \"{element}\"\nreason = \"measured\"\n");
    fs::write(&allowed, entry).unwrap();
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    assert!(said.contains("because: measured"), "{said}");
    fs::write(repository.path().join(SPEECH_2), old).unwrap();
    let (success, said) = xtask(&repository, "proto");
    assert!(!success, "{said}");
    assert!(said.contains("ALLOWANCE_STALE"), "{said}");
}

/// Line and column of the method that `SHORTER` changes.
fn place(repository: &TempDir) -> String {
    let text = fs::read_to_string(repository.path().join(SPEECH_2)).unwrap();
    let line = text
        .lines()
        .position(|line| line.contains("rpc UploadTranscription("))
        .unwrap();
    format!("{}:3", line + 1)
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn what_was_released_is_compared_with_on_every_branch() {
    let repository = repository();
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    fs::remove_dir_all(repository.path().join(".git")).unwrap();
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    assert!(!said.contains("the merge base"), "{said}");
    SHORTER.apply(&repository);
    let (success, said) = xtask(&repository, "proto");
    assert!(!success && said.contains(SHORTENED), "{said}");
    let (_, field, expect) = &BREAKS[0];
    field.apply(&repository);
    let (success, said) = xtask(&repository, "proto");
    assert!(!success && said.contains(expect), "{said}");
    assert!(said.contains("against the release in"), "{said}");
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn the_released_image_has_the_same_bytes_each_time_and_a_new_module_is_no_break() {
    let repository = repository();
    let released = || fs::read(repository.path().join(RELEASED)).unwrap();
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    let first = released();
    fs::remove_file(repository.path().join(RELEASED)).unwrap();
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    assert!(first == released(), "the bytes differ");

    let folder = repository.path().join("proto/v3/scribemed/auth/v3");
    fs::create_dir_all(&folder).unwrap();
    let text = "syntax = \"proto3\";\n\npackage scribemed.auth.v3;\n\n// New.\nmessage Key {}\n";
    fs::write(folder.join("key.proto"), text).unwrap();
    edit(
        "buf.yaml",
        "",
        "  - path: proto/v2\n",
        "  - path: proto/v2\n  - path: proto/v3\n",
    )
    .apply(&repository);
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    assert!(first != released(), "the new module is not in it");
}

/// As if transcription v1 had been announced long ago.
const ENDED: [Edit; 2] = [
    edit(SPEECH_1, "lifecycle: {", "2026-11-01", "2025-05-01"),
    edit(SPEECH_1, "lifecycle: {", "2027-11-01", "2026-11-01"),
];

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn what_is_past_its_sunset_is_told_and_may_go() {
    let repository = repository();
    for edit in &ENDED {
        edit.apply(&repository);
    }
    fs::remove_dir_all(repository.path().join(".git")).unwrap();
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    let (success, said) = xtask(&repository, "proto");
    assert!(success && said.contains("notice: SUNSET_PASSED"), "{said}");

    let status = edit(SPEECH_1, "", "rpc GetTranscriptionStatus ...", "");
    let old = status.apply(&repository);
    format(&repository, SPEECH_1);
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    // Its messages are buf's to watch.
    let message = edit(
        SPEECH_1,
        "",
        "message GetTranscriptionStatusRequest ...",
        "",
    );
    message.apply(&repository);
    let (success, said) = xtask(&repository, "proto");
    assert!(
        !success && said.contains("message \"GetTranscriptionStatusRequest\" was deleted"),
        "{said}"
    );
    fs::write(repository.path().join(SPEECH_1), old).unwrap();

    // The whole version; what another one loses is seen all the same.
    fs::remove_file(repository.path().join(SPEECH_1)).unwrap();
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    fs::remove_file(repository.path().join(NOTES_1)).unwrap();
    let (success, said) = xtask(&repository, "proto");
    assert!(!success, "{said}");
    for line in [
        "file \"scribemed/documentation/v1/documentation.proto\" was deleted",
        "REMOVED_UNANNOUNCED scribemed.documentation.v1.DocumentationService",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(!said.contains("file \"scribemed/transcription"), "{said}");
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn a_release_tells_what_it_breaks_and_is_made() {
    let repository = repository();
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    SHORTER.apply(&repository);
    let (_, field, expect) = &BREAKS[2];
    field.apply(&repository);
    let before = fs::read(repository.path().join(RELEASED)).unwrap();
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    assert!(said.contains(SHORTENED) && said.contains(expect), "{said}");
    assert!(before != fs::read(repository.path().join(RELEASED)).unwrap());
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success && said.contains("already"), "{said}");
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn what_a_release_wrote_of_its_messages_may_only_grow() {
    let repository = repository();
    let golden = "proto/golden/messages/scribemed.auth.v1.txt";
    let path = repository.path().join(golden);
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success, "{said}");
    let released = fs::read_to_string(&path).unwrap();
    git(&repository, &["checkout", "--quiet", "main"]);
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "--quiet", "--message=release"]);
    git(&repository, &["checkout", "--quiet", "-b", "next"]);
    git(
        &repository,
        &["commit", "--quiet", "--allow-empty", "--message=change"],
    );

    // A field is new, and released: the entries of the release before it stay, another one is added.
    edit(
        AUTH,
        "message RotateKeysRequest ",
        "  ];\n}",
        "  ];\n  // Why.\n  string reason = 2 [(google.api.field_behavior) = OPTIONAL];\n}",
    )
    .apply(&repository);
    let (success, said) = xtask(&repository, "release-contract");
    assert!(success && said.contains("Added to"), "{said}");
    let grown = fs::read_to_string(&path).unwrap();
    assert!(grown.starts_with(&released) && grown.len() > released.len());
    let (success, said) = xtask(&repository, "proto");
    assert!(success, "{said}");
    assert!(said.contains("messages as released"), "{said}");

    for (from, to) in [("\"kid\"", "\"id\""), ("json {}\n", "")] {
        fs::write(&path, grown.replacen(from, to, 1)).unwrap();
        let (success, said) = xtask(&repository, "proto");
        assert!(
            !success && said.contains(&format!("{golden}: json {{")),
            "{said}"
        );
    }
}
