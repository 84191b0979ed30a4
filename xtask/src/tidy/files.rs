//! The hand-written text files of the tree.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Folders whose content nobody here writes.
const SKIPPED: [&str; 3] = ["target", "node_modules", "proto/vendor"];
/// Hidden folders are skipped, but for these.
const HIDDEN: [&str; 3] = [".cargo", ".ci", ".github"];
const ENDINGS: [&str; 11] = [
    "json", "md", "proto", "py", "rs", "sh", "sql", "toml", "txt", "yaml", "yml",
];
const NAMES: [&str; 5] = [
    ".dockerignore",
    ".gitignore",
    "Dockerfile",
    "LICENSE",
    "run",
];

/// One text file.
pub(super) struct File {
    /// Relative to the root, with `/` between its parts.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn is_rust(&self) -> bool {
        self.name()
            .rsplit_once('.')
            .is_some_and(|(_, ending)| ending == "rs")
    }

    /// Whether the whole file is a test.
    pub(super) fn is_test(&self) -> bool {
        self.name() == "tests.rs" || self.path.split('/').any(|part| part == "tests")
    }

    /// The lines before the first `#[cfg(test)]`, numbered from 1.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .text
            .lines()
            .take_while(|line| line.trim() != "#[cfg(test)]");
        (1..).zip(lines)
    }
}

/// Every text file below `root`, in order of its path.
///
/// # Errors
/// When a folder or file cannot be read.
pub(super) fn read(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn walk(root: &Path, folder: &str, files: &mut Vec<File>) -> Result<()> {
    let at = root.join(folder);
    for entry in fs::read_dir(&at).with_context(|| format!("reading {}", at.display()))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let hidden = name.starts_with('.') && !HIDDEN.contains(&path.as_str());
            if !hidden && !SKIPPED.contains(&path.as_str()) {
                walk(root, &path, files)?;
            }
        } else if kind.is_file() && is_text(&name) {
            let text =
                fs::read_to_string(entry.path()).with_context(|| format!("reading {path}"))?;
            files.push(File { path, text });
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    NAMES.contains(&name) || ending.is_some_and(|ending| ENDINGS.contains(&ending))
}
