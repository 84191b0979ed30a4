//! Reading a contract as buf writes it: an encoded set of file descriptors, custom options included.

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;

/// A contract that cannot be read. The command ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}; make it with `buf build -o {}`", path.display(), path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no image, or a part of one.
    #[error("{} is no image of a contract, or is cut off: {reason}; make it anew with `buf build -o {}`", path.display(), path.display())]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
}

/// Reads the image at `path`.
///
/// # Errors
/// [`Error`], in one line.
pub fn read(path: &Path) -> Result<DescriptorPool, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let corrupt = |reason: String| Error::Corrupt {
        path: path.to_owned(),
        reason,
    };
    let pool =
        DescriptorPool::decode(bytes.as_slice()).map_err(|error| corrupt(error.to_string()))?;
    if pool.files().len() == 0 {
        return Err(corrupt("it holds no file".to_owned()));
    }
    Ok(pool)
}
