//! Copies of the contract of this repository, changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use tempfile::TempDir;

pub(crate) const AUTH: &str = "v1/scribemed/auth/v1/auth.proto";
pub(crate) const AUTH_REASONS: &str = "v1/scribemed/auth/v1/error_reason.proto";
pub(crate) const SPEECH_1: &str = "v1/scribemed/transcription/v1/transcription.proto";
pub(crate) const SPEECH_2: &str = "v2/scribemed/transcription/v2/transcription.proto";
pub(crate) const NOTES_2: &str = "v2/scribemed/documentation/v2/documentation.proto";

/// The day of the tests, before every sunset of the contract.
pub(crate) const TODAY: &str = "2026-11-25";

/// A change of a text.
#[derive(Clone, Copy)]
pub(crate) enum Edit {
    /// In the file, the first of the second behind the first becomes the third.
    Swap(&'static str, &'static str, &'static str, &'static str),
    /// In the file, what begins so and ends so is cut out.
    Cut(&'static str, &'static str, &'static str),
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The contract, changed; its encoded image and its own files.
pub(crate) struct Contract {
    pub(crate) image: Vec<u8>,
    pub(crate) files: BTreeMap<String, String>,
}

impl Contract {
    pub(crate) fn new(edits: &[Edit]) -> Self {
        let mut files = Self::files();
        for edit in edits {
            apply(edit, &mut files);
        }
        Self::compile(files)
    }

    /// The contract without one of its files.
    pub(crate) fn without(file: &str) -> Self {
        let mut files = Self::files();
        assert!(files.remove(file).is_some(), "no {file}");
        Self::compile(files)
    }

    fn files() -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for module in ["options", "v1", "v2"] {
            read(&root().join("proto"), Path::new(module), &mut files);
        }
        files
    }

    fn compile(files: BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &files {
            write(&folder, name, text);
        }
        let modules = ["options", "v1", "v2"].map(|module| folder.path().join(module));
        let vendor = root().join("proto/vendor");
        let mut compiler = protox::Compiler::new(modules.iter().chain([&vendor])).unwrap();
        compiler.include_imports(true).include_source_info(true);
        compiler
            .open_files(files.keys().map(|name| import(name)))
            .unwrap_or_else(|error| panic!("{error:?}"));
        Self {
            image: compiler.encode_file_descriptor_set(),
            files,
        }
    }

    pub(crate) fn pool(&self) -> DescriptorPool {
        DescriptorPool::decode(self.image.as_slice()).unwrap()
    }

    /// The line of a file, named as imports name it.
    pub(crate) fn line(&self, file: &str, line: usize) -> &str {
        let mut files = self.files.iter();
        let (_, text) = files.find(|(name, _)| import(name) == file).unwrap();
        text.lines().nth(line - 1).unwrap()
    }
}

/// Without its module.
fn import(name: &str) -> &str {
    name.split_once('/').unwrap().1
}

fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            read(root, &path, files);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap();
            files.insert(path.to_str().unwrap().to_owned(), text);
        }
    }
}

fn write(folder: &TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn apply(edit: &Edit, files: &mut BTreeMap<String, String>) {
    let (file, from, to, into) = match *edit {
        Edit::Swap(file, after, what, into) => {
            let text = files.get(file).unwrap_or_else(|| panic!("no {file}"));
            let after = position(text, 0, after);
            let from = position(text, after, what);
            (file, from, from + what.len(), into)
        }
        Edit::Cut(file, begin, end) => {
            let text = files.get(file).unwrap_or_else(|| panic!("no {file}"));
            let from = position(text, 0, begin);
            (file, from, position(text, from, end) + end.len(), "")
        }
    };
    files.get_mut(file).unwrap().replace_range(from..to, into);
}

fn position(text: &str, from: usize, what: &str) -> usize {
    let found = text[from..].find(what);
    from + found.unwrap_or_else(|| panic!("{what:?} is not in the contract any more"))
}
