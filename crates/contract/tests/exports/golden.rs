//! What is committed is what is written.

use std::collections::BTreeMap;
use std::fs;

use scribemed_contract::docs::{self, Form};

use crate::support::{ours, root, said, text, tool};

const FOLDER: &str = "docs/reference/contract";
const CALLS: &str = "docs/reference/contract/calls.mmd";

#[test]
fn the_reference_in_the_repository_is_that_of_the_contract() {
    let folder = root().join(FOLDER);
    let mut committed = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            committed.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    let written: BTreeMap<String, String> = docs::files(&ours(), &[Form::Markdown])
        .into_iter()
        .collect();
    let renew =
        "cargo run -p scribemed-contract -- docs --only markdown --out docs/reference/contract";
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        written.keys().collect::<Vec<_>>(),
        "renew it: {renew}"
    );
    for (name, text) in &written {
        assert!(
            committed[name] == *text,
            "{FOLDER}/{name} is not what the contract says; renew it: {renew}"
        );
    }
}

#[test]
fn who_calls_whom_is_as_it_was_accepted() {
    let output = tool(&root(), &["graph", "--check", CALLS]);
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

#[test]
fn a_call_that_was_not_accepted_is_a_finding() {
    let folder = tempfile::tempdir().unwrap();
    let golden = folder.path().join("calls.mmd");
    let line = "s_transcription -->|\"v1 GetKeySet\"| s_auth";
    let known = said(&root(), &["graph"]);
    assert!(known.contains(line), "{known}");
    fs::write(&golden, known.replace(&format!("  {line}\n"), "")).unwrap();
    let output = tool(&root(), &["graph", "--check", golden.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(100));
    assert_eq!(text(&output.stdout), format!("+  {line}\n"));
}

#[test]
fn a_page_of_a_package_that_is_gone_is_removed_and_other_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    docs::write(&ours(), &[Form::Html, Form::Markdown], folder.path()).unwrap();
    for ending in ["html", "md"] {
        let old = fs::read_to_string(path(&format!("scribemed.auth.v1.{ending}"))).unwrap();
        fs::write(path(&format!("gone.v1.{ending}")), old).unwrap();
    }
    fs::write(path("notes.md"), "# Mine\n").unwrap();
    docs::write(&ours(), &[Form::Html, Form::Markdown], folder.path()).unwrap();
    assert!(!path("gone.v1.html").exists() && !path("gone.v1.md").exists());
    assert!(path("notes.md").exists() && path("scribemed.auth.v1.html").exists());
}
