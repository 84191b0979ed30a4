//! Files below the folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::Error;
use super::rules::Rules;

/// Reads a file that the rules allow by name, if it really lies where its name says.
pub(super) async fn read(rules: &Arc<Rules>, path: &Path, max_bytes: u64) -> Result<Bytes, Error> {
    let (rules, path) = (Arc::clone(rules), path.to_owned());
    tokio::task::spawn_blocking(move || read_now(&rules, &path, max_bytes))
        .await
        .map_err(|fault| Error::Unavailable {
            detail: "reading was interrupted".to_owned(),
            source: Some(fault.into()),
        })?
}

fn read_now(rules: &Rules, path: &Path, max_bytes: u64) -> Result<Bytes, Error> {
    let folder = rules.folder().ok_or_else(|| rules.refuse("file URLs"))?;
    let folder = folder.canonicalize().map_err(|source| Error::Unavailable {
        detail: "the folder for recordings cannot be read".to_owned(),
        source: Some(source.into()),
    })?;
    let real = path.canonicalize().map_err(missing)?;
    if !real.starts_with(&folder) {
        return Err(rules.refuse("a link that leads out of the folder"));
    }
    // Looked at before it is opened: opening a pipe would wait for somebody to write to it.
    let before = real.symlink_metadata().map_err(missing)?;
    if !before.is_file() {
        return Err(rules.refuse("what is no regular file"));
    }
    let file = File::open(&real).map_err(missing)?;
    let opened = file.metadata().map_err(missing)?;
    if !is_same(&before, &opened) {
        return Err(rules.refuse("a file that is being replaced"));
    }
    let too_large = || Error::TooLarge { limit: max_bytes };
    if opened.len() > max_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.len()).unwrap_or(0));
    // It may grow while it is read.
    let length = file
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(missing)?;
    if length as u64 > max_bytes {
        return Err(too_large());
    }
    Ok(bytes.into())
}

#[cfg(unix)]
fn is_same(before: &std::fs::Metadata, opened: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (before.dev(), before.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_: &std::fs::Metadata, opened: &std::fs::Metadata) -> bool {
    opened.is_file()
}

fn missing(source: io::Error) -> Error {
    use io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    let kind = source.kind();
    let detail = if matches!(kind, NotFound | NotADirectory) {
        "there is no such file"
    } else if kind == PermissionDenied {
        "the file may not be read"
    } else {
        return Error::Unavailable {
            detail: "the file cannot be read".to_owned(),
            source: Some(source.into()),
        };
    };
    Error::Missing {
        detail: detail.to_owned(),
        source: Some(source),
    }
}
