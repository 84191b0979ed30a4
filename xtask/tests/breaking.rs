//! The breaking check sees a removed field, end to end: a copy of the contract in a repository of its own, `xtask proto`
//! run in it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const CONTRACT: &str = "proto/v1/scribemed/documentation/v1/documentation.proto";

/// The contract as it is, committed on `main`, with a branch of one more commit checked out.
fn repository() -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(root.join("buf.yaml"), copy.path().join("buf.yaml")).unwrap();
    copy_folder(&root.join("proto"), &copy.path().join("proto"));
    let golden = copy.path().join("proto/golden");
    if golden.exists() {
        fs::remove_dir_all(golden).unwrap();
    }
    for args in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "."],
        &["commit", "--quiet", "--message=contract"],
        &["checkout", "--quiet", "-b", "change"],
        &["commit", "--quiet", "--allow-empty", "--message=change"],
    ] {
        let identity = [
            "-c",
            "user.name=test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let mut git = Command::new("git");
        git.args(identity).args(args).current_dir(copy.path());
        assert!(git.status().unwrap().success(), "git {args:?}");
    }
    copy
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Runs `xtask proto` in the copy, as Cargo would run it there.
fn proto(repository: &TempDir, args: &[&str]) -> (Output, String) {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask
        .arg("proto")
        .args(args)
        .env("CARGO_MANIFEST_DIR", repository.path().join("xtask"));
    let output = xtask.output().unwrap();
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output, String::from_utf8(said).unwrap())
}

/// Takes the first field with a type of one line out of the message; returns its name.
fn remove_field(repository: &TempDir, message: &str) -> String {
    let path = repository.path().join(CONTRACT);
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find(&format!("message {message} {{")).unwrap();
    let (before, body) = text.split_at(start);
    let is_field = |line: &str| line.starts_with("  string ") && line.contains(" = ");
    let first = body.lines().find(|line| is_field(line)).unwrap();
    let field = first.split_whitespace().nth(1).unwrap().to_owned();
    let from = body.find(first).unwrap();
    let to = from + body[from..].find(";\n").unwrap() + 2;
    fs::write(&path, format!("{before}{}{}", &body[..from], &body[to..])).unwrap();
    field
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn an_unchanged_contract_passes() {
    let repository = repository();
    let (output, said) = proto(&repository, &[]);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("buf breaking, against the merge base"),
        "{said}"
    );
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn a_removed_field_fails_the_check_and_is_named() {
    let repository = repository();
    let field = remove_field(&repository, "CreateNoteRequest");
    let (output, said) = proto(&repository, &[]);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains(&format!(
            "\"{field}\" on message \"CreateNoteRequest\" was deleted"
        )),
        "{said}"
    );
    assert!(said.contains("failed with exit status: 100"), "{said}");
}

#[test]
#[ignore = "needs buf, named by SCRIBEMED_BUF: `cargo xtask test` runs it"]
fn a_field_removed_since_the_release_fails_the_check_on_every_branch() {
    let repository = repository();
    let (output, said) = proto(&repository, &["--bless"]);
    assert!(output.status.success(), "{said}");
    let field = remove_field(&repository, "CreateNoteRequest");
    fs::remove_dir_all(repository.path().join(".git")).unwrap();
    let (output, said) = proto(&repository, &[]);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains(&format!(
            "\"{field}\" on message \"CreateNoteRequest\" was deleted"
        )),
        "{said}"
    );
    assert!(said.contains("against the release in"), "{said}");
}
