//! How long a file may be, and what it may be called.

use super::Finding;
use super::files::File;

const MAX_LINES: usize = 600;
const MAX_MAIN: usize = 60;
const MAX_BUILD: usize = 40;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut limit = |max: usize, kind: &str, right: &str| {
        let lines = file.code().count();
        if lines > max {
            let what = format!("{kind} has {lines} lines; at most {max} are allowed");
            findings.push(Finding::new(&file.path, max + 1, what, right));
        }
    };
    if !file.is_test() {
        limit(MAX_LINES, "the file", "one file for each concept");
    }
    if file.path.ends_with("src/main.rs") {
        limit(
            MAX_MAIN,
            "main.rs",
            "logic belongs into the library or a module",
        );
    }
    if file.path == "build.rs" {
        limit(
            MAX_BUILD,
            "the root build.rs",
            "logic belongs into crates/codegen",
        );
    }
    if file.name() == "mod.rs" {
        let folder = file.path.trim_end_matches("/mod.rs");
        findings.push(Finding::new(
            &file.path,
            1,
            "mod.rs is not used here",
            format!("call it {folder}.rs"),
        ));
    }
    findings
}
