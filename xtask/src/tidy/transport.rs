//! Only the client and the server name a transport.

use super::Finding;
use super::files::File;

const ALLOWED: [&str; 2] = ["crates/client/", "crates/server/"];
const CHECKED: [&str; 4] = ["crates/", "services/", "proto/", "examples/"];
const PATHS: [&str; 4] = ["h2::", "hyper::", "hyper_util::", "tonic::transport"];
const PACKAGES: [&str; 3] = ["h2", "hyper", "hyper-util"];
const RIGHT: &str = "only crates/client and crates/server do";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let checked = files.iter().filter(|file| {
        CHECKED.iter().any(|folder| file.path.starts_with(folder))
            && !ALLOWED.iter().any(|folder| file.path.starts_with(folder))
            && !file.is_test()
    });
    let mut findings = Vec::new();
    for file in checked {
        if file.is_rust() {
            let code = file
                .code()
                .filter(|(_, line)| !line.trim_start().starts_with("//"));
            findings.extend(code.filter_map(|(number, line)| {
                let path = named(line)?;
                Some(Finding::new(
                    &file.path,
                    number,
                    format!("the code names `{path}`"),
                    RIGHT,
                ))
            }));
        } else if file.name() == "Cargo.toml" {
            findings.extend(depends(&file.text).map(|(number, package)| {
                Finding::new(
                    &file.path,
                    number,
                    format!("the crate depends on `{package}`"),
                    RIGHT,
                )
            }));
        }
    }
    findings
}

/// The first transport that a line of code names.
fn named(line: &str) -> Option<&'static str> {
    let is_part_of_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let whole = |path: &&str| {
        line.match_indices(path)
            .any(|(at, _)| !line[..at].ends_with(is_part_of_name))
    };
    let grouped = line.contains("use tonic::{") && line.contains("transport");
    PATHS
        .into_iter()
        .find(whole)
        .or(grouped.then_some("tonic::transport"))
}

/// The transports among the normal dependencies of a manifest, with their lines.
fn depends(manifest: &str) -> impl Iterator<Item = (usize, &'static str)> {
    let mut normal = false;
    (1..)
        .zip(manifest.lines())
        .filter_map(move |(number, line)| {
            if line.starts_with('[') {
                normal = line.trim() == "[dependencies]";
            }
            let name = line.split(['.', '=', ' ']).next()?;
            PACKAGES
                .into_iter()
                .find(|package| normal && *package == name)
                .map(|package| (number, package))
        })
}
