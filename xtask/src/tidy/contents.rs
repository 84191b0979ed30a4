//! What the text of the repository must look like.

use super::Finding;
use super::files::File;

const MANIFEST: &str = "Cargo.toml";
const DEPENDENCIES: &str = "docs/dependencies.md";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = files.iter().flat_map(trailing_white_space).collect();
    findings.extend(dependencies(files));
    findings
}

fn trailing_white_space(file: &File) -> impl Iterator<Item = Finding> {
    let lines = (1..).zip(file.text.split('\n'));
    let bad = lines.filter(|(_, line)| line.ends_with(char::is_whitespace));
    bad.map(|(number, _)| {
        Finding::new(
            &file.path,
            number,
            "white space ends the line",
            "a line ends with its last visible character",
        )
    })
}

/// Each outside dependency is named where the choice is explained.
fn dependencies(files: &[File]) -> Vec<Finding> {
    let find = |path: &str| files.iter().find(|file| file.path == path);
    let Some(manifest) = find(MANIFEST) else {
        return Vec::new();
    };
    let Some(explained) = find(DEPENDENCIES) else {
        return vec![Finding::new(
            DEPENDENCIES,
            1,
            "the file is missing",
            "it names each dependency and why it is here",
        )];
    };
    outside(&manifest.text)
        .filter(|(_, name)| !names(&explained.text, name))
        .map(|(number, name)| {
            let what = format!("`{name}` is not named in {DEPENDENCIES}");
            Finding::new(
                MANIFEST,
                number,
                what,
                "a line there says what it does and what else was weighed",
            )
        })
        .collect()
}

/// The entries of `[workspace.dependencies]` which are not our own crates, with their lines.
fn outside(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(manifest.lines());
    let section = lines
        .skip_while(|(_, line)| line.trim() != "[workspace.dependencies]")
        .skip(1);
    let section = section.take_while(|(_, line)| !line.starts_with('['));
    section.filter_map(|(number, line)| {
        let (name, value) = line.split_once('=')?;
        let ours = value.contains("path =");
        (!ours && !line.starts_with('#')).then_some((number, name.trim()))
    })
}

fn names(text: &str, name: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_')
        .any(|word| word == name)
}
