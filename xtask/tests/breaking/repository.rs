//! A copy of the contract in a repository of its own, edits of it, and tasks that run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

pub(crate) const AUTH: &str = "proto/v1/scribemed/auth/v1/auth.proto";
pub(crate) const NOTES_1: &str = "proto/v1/scribemed/documentation/v1/documentation.proto";
pub(crate) const NOTES_2: &str = "proto/v2/scribemed/documentation/v2/documentation.proto";
pub(crate) const REASONS: &str = "proto/options/scribemed/options/v1/error_reason.proto";
pub(crate) const SPEECH_1: &str = "proto/v1/scribemed/transcription/v1/transcription.proto";
pub(crate) const SPEECH_2: &str = "proto/v2/scribemed/transcription/v2/transcription.proto";
pub(crate) const ALLOWED: &str = "proto/allowed-breaks.toml";
pub(crate) const RELEASED: &str = "proto/golden/released.binpb";

/// The contract as it is, committed on `main`, with a branch of one more commit checked out.
pub(crate) fn repository() -> TempDir {
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
        git(&copy, args);
    }
    copy
}

/// Runs git in the copy, as somebody.
pub(crate) fn git(repository: &TempDir, args: &[&str]) {
    let identity = [
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "commit.gpgsign=false",
    ];
    let mut git = Command::new("git");
    git.args(identity).args(args).current_dir(repository.path());
    assert!(git.status().unwrap().success(), "git {args:?}");
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
pub(crate) fn xtask(repository: &TempDir, task: &str) -> (bool, String) {
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
pub(crate) const EVERYWHERE: &str = "*";

/// A change of a text: the first `from` behind the first `after` becomes `to`; one that ends with ` ...` goes on to the line
/// that ends the block.
pub(crate) struct Edit {
    pub(crate) file: &'static str,
    pub(crate) after: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

pub(crate) const fn edit(
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
    pub(crate) fn apply(&self, repository: &TempDir) -> String {
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

/// What is left of an edit, as buf would write it.
pub(crate) fn format(repository: &TempDir, file: &str) {
    let buf = std::env::var_os("SCRIBEMED_BUF").unwrap();
    let mut format = Command::new(buf);
    format
        .args(["format", "--write", file])
        .current_dir(repository.path());
    assert!(format.status().unwrap().success());
}
