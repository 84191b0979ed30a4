//! The key file: one owner, written whole or not at all.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use super::Error;

/// A key in PEM is 119 bytes; whatever is much larger is not a key.
const MAX_FILE_BYTES: u64 = 16 * 1024;

pub(super) fn read(path: &Path) -> Result<String, Error> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    refuse_exposed(path, &file)?;
    let mut text = String::new();
    file.take(MAX_FILE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Error::io(path, error))?;
    Ok(text)
}

/// Looks at the open file, not at the path, which could be swapped in between.
#[cfg(unix)]
fn refuse_exposed(path: &Path, file: &File) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = file
        .metadata()
        .map_err(|error| Error::io(path, error))?
        .permissions()
        .mode()
        & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(Error::Exposed {
            path: path.into(),
            mode,
        }),
    }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _file: &File) -> Result<(), Error> {
    Ok(())
}

pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || {
        // A named temporary file is created with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        sync_folder(folder)
    };
    write().map_err(|error| Error::io(path, error))
}

/// Makes the new name durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
