//! What breaks callers is seen, end to end: a copy of the contract in a repository of its own, changed, and `xtask proto` run
//! in it. Each kind of break that buf sees is made once here; those of our own tool are in its tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

const NOTES_1: &str = "proto/v1/scribemed/documentation/v1/documentation.proto";
const NOTES_2: &str = "proto/v2/scribemed/documentation/v2/documentation.proto";
const REASONS: &str = "proto/options/scribemed/options/v1/error_reason.proto";
const SPEECH_2: &str = "proto/v2/scribemed/transcription/v2/transcription.proto";
const ALLOWED: &str = "proto/allowed-breaks.toml";
const RELEASED: &str = "proto/golden/released.binpb";

/// The contract as it is, committed on `main`, with a branch of one more commit checked out.
fn repository() -> TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let copy = tempfile::tempdir().unwrap();
    fs::copy(root.join("buf.yaml"), copy.path().join("buf.yaml")).unwrap();
    copy_folder(&root.join("proto"), &copy.path().join("proto"));
    // What was released, and what was decided since, is the test's to say.
    fs::remove_dir_all(copy.path().join("proto/golden")).unwrap();
    if copy.path().join(ALLOWED).exists() {
        fs::remove_file(copy.path().join(ALLOWED)).unwrap();
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

/// Our own tool, built once.
fn contract_tool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    TOOL.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--package", "scribemed-contract"])
            .args(["--message-format", "json"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap());
        let output = build.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}");
        let messages = said.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut programs = messages.filter_map(|message: serde_json::Value| {
            message["executable"].as_str().map(PathBuf::from)
        });
        programs.next_back().unwrap()
    })
}

/// Runs a task in the copy, as Cargo would run it there.
fn xtask(repository: &TempDir, task: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg(task)
        .env("CARGO_MANIFEST_DIR", repository.path().join("xtask"))
        .env("SCRIBEMED_CONTRACT", contract_tool())
        .output()
        .unwrap();
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Instead of a text to look behind.
const EVERYWHERE: &str = "*";

/// A change of a text: the first `from` behind the first `after` becomes `to`; one that ends with ` ...` goes on to the line
/// that ends the block.
struct Edit {
    file: &'static str,
    after: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn edit(
    file: &'static str,
    after: &'static str,
    from: &'static str,
    to: &'static str,
) -> Edit {
    Edit {
        file,
        after,
        from,
        to,
    }
}

impl Edit {
    /// Returns the text as it was.
    fn apply(&self, repository: &TempDir) -> String {
        let path = repository.path().join(self.file);
        let old = fs::read_to_string(&path).unwrap();
        if self.after == EVERYWHERE {
            fs::write(path, old.replace(self.from, self.to)).unwrap();
            return old;
        }
        let find = |from: usize, what: &str| {
            let found = old[from..].find(what);
            from + found.unwrap_or_else(|| panic!("{what:?} is not in {} any more", self.file))
        };
        let after = find(0, self.after);
        let (from, to) = match self.from.strip_suffix(" ...") {
            None => {
                let from = find(after, self.from);
                (from, from + self.from.len())
            }
            Some(begin) => {
                let from = find(after, begin);
                let line = old[..from].rfind('\n').map_or(0, |line| line + 1);
                let end = format!("\n{}}}\n", &old[line..from]);
                (from, find(from, &end) + end.len())
            }
        };
        let new = [&old[..from], self.to, &old[to..]].concat();
        fs::write(path, new).unwrap();
        old
    }
}

/// Kinds of break that buf sees (FILE), and what it says of each.
const BREAKS: &[(&str, Edit, &str)] = &[
    (
        "FIELD_NO_DELETE",
        edit(NOTES_2, "message GetNoteResponse", "  Note note = 1;\n", ""),
        "with name \"note\" on message \"GetNoteResponse\" was deleted",
    ),
    (
        "FIELD_NO_DELETE, by another number",
        edit(NOTES_2, "message GetNoteResponse", "note = 1", "note = 7"),
        "with name \"note\" on message \"GetNoteResponse\" was deleted",
    ),
    (
        "FIELD_SAME_TYPE",
        edit(
            NOTES_2,
            "message Source ",
            "int32 segment_index",
            "int64 segment_index",
        ),
        "on message \"Source\" changed type from \"int32\" to \"int64\"",
    ),
    (
        "FIELD_SAME_NAME",
        edit(
            NOTES_2,
            "message Source ",
            "segment_index",
            "segment_number",
        ),
        "on message \"Source\" changed name from \"segment_index\" to \"segment_number\"",
    ),
    (
        "FIELD_SAME_JSON_NAME",
        edit(
            NOTES_2,
            "message Source ",
            "segment_index = 2",
            "segment_index = 2 [json_name = \"at\"]",
        ),
        "on message \"Source\" changed option \"json_name\"",
    ),
    (
        "FIELD_SAME_CARDINALITY",
        edit(NOTES_2, "message Section ", "repeated Sentence", "Sentence"),
        "on message \"Section\" changed cardinality",
    ),
    (
        "FIELD_SAME_ONEOF",
        edit(
            NOTES_2,
            "message Source ",
            "int32 segment_index = 2;",
            "oneof at { int32 segment_index = 2; }",
        ),
        "on message \"Source\" moved from outside to inside a oneof",
    ),
    (
        "ENUM_VALUE_NO_DELETE",
        edit(NOTES_2, "enum NoteType", "  NOTE_TYPE_SOAP = 1;\n", ""),
        "value \"1\" on enum \"NoteType\" was deleted",
    ),
    (
        "ENUM_VALUE_SAME_NAME",
        edit(
            NOTES_2,
            "enum NoteType",
            "NOTE_TYPE_SOAP = 1",
            "NOTE_TYPE_PLAIN = 1",
        ),
        "on enum \"NoteType\" changed name from \"NOTE_TYPE_SOAP\"",
    ),
    (
        "MESSAGE_NO_DELETE",
        edit(NOTES_2, EVERYWHERE, "Failure ", "Fault "),
        "message \"Failure\" was deleted",
    ),
    (
        "ENUM_NO_DELETE",
        edit(NOTES_2, EVERYWHERE, "NoteState ", "NoteStage "),
        "enum \"NoteState\" was deleted",
    ),
    (
        "RPC_NO_DELETE",
        edit(NOTES_2, "", "rpc SignNote ...", ""),
        "RPC \"SignNote\" on service \"DocumentationService\" was deleted",
    ),
    (
        "RPC_SAME_REQUEST_TYPE",
        edit(
            NOTES_2,
            "",
            "rpc SignNote(SignNoteRequest)",
            "rpc SignNote(GetNoteRequest)",
        ),
        "changed request type",
    ),
    (
        "RPC_SAME_RESPONSE_TYPE",
        edit(
            NOTES_2,
            "rpc SignNote(",
            "returns (SignNoteResponse)",
            "returns (GetNoteResponse)",
        ),
        "changed response type",
    ),
    (
        "RPC_SAME_CLIENT_STREAMING",
        edit(SPEECH_2, "rpc UploadTranscription(", "stream ", ""),
        "changed from client streaming to client unary",
    ),
    (
        "RPC_SAME_SERVER_STREAMING",
        edit(NOTES_2, "rpc WatchNote(", "stream ", ""),
        "changed from server streaming to server unary",
    ),
    (
        "SERVICE_NO_DELETE",
        edit(
            NOTES_1,
            "",
            "service DocumentationService",
            "service NoteService",
        ),
        "service \"DocumentationService\" was deleted",
    ),
    (
        "FILE_SAME_PACKAGE",
        edit(
            REASONS,
            "",
            "package scribemed.options.v1;",
            "package scribemed.options.v9;",
        ),
        "changed from \"scribemed.options.v1\" to \"scribemed.options.v9\"",
    ),
    (
        "FILE_NO_DELETE",
        edit("buf.yaml", "", "  - path: proto/v1\n", ""),
        "file \"scribemed/auth/v1/auth.proto\" was deleted",
    ),
];

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
