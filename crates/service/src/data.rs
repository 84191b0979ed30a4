//! The data folder of a service.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The folder that holds everything durable of one service, taken by this process.
///
/// Two processes on one folder would take each other's jobs for abandoned, so there is one at a time. The folder is let go
/// when this is dropped, or when the process ends in whichever way.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Why the data folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process works on it.
    #[error(
        "the data folder {} is in use by another process of this service: stop that one, or give this one a folder of \
         its own with SCRIBEMED_DATA",
        folder.display()
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// It cannot be made or written to.
    #[error("the data folder {} cannot be used", folder.display())]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl DataFolder {
    /// Takes the folder for the service `name`, making it (mode 0700) where it is missing.
    ///
    /// # Errors
    /// [`Error::InUse`] while another process has it, [`Error::Unusable`] when it cannot be made or written to.
    pub fn take(folder: &Path, name: &str) -> Result<Self, Error> {
        let unusable = |source| Error::Unusable {
            folder: folder.to_owned(),
            source,
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(unusable)?;
        let lock = File::create(folder.join(format!("{name}.lock"))).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: folder.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn a_folder_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let held = DataFolder::take(&data, "transcription").unwrap();
        let refused = DataFolder::take(&data, "transcription").unwrap_err();
        assert!(refused.to_string().contains("SCRIBEMED_DATA"), "{refused}");
        drop(held);
        DataFolder::take(&data, "transcription").unwrap();
    }
}
