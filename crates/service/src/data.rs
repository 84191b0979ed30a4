//! The data folder of a service.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The folder that holds everything durable of one service, taken by this process.
///
/// Two processes on one folder would take each other's jobs for abandoned, so there is one at a time. The folder is let go
/// when this is dropped, or when the process ends in whichever way.
///
/// Replicas of a service share a volume, not a folder: a path that ends in `*`, as `/var/lib/scribemed/*`, stands for the
/// first of the folders `0`, `1`, `2`, ... there that no other process has. A replica that comes after one that was
/// stopped or killed takes over its folder, and with it what was accepted and is not done yet.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// The last part of a path that stands for one folder for each replica.
const ANY: &str = "*";
/// More replicas than this share no volume: far above what one machine runs, and low enough to give up soon.
const REPLICAS: u32 = 256;

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
    /// Each folder for a replica is in use.
    #[error(
        "all {REPLICAS} folders for replicas in {} are in use: run fewer of them",
        folder.display()
    )]
    AllInUse {
        /// The folder that holds them.
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
    /// Takes the folder for the service `name`, making it (mode 0700) where it is missing; where `folder` ends in `*`, the
    /// first folder for a replica that is free.
    ///
    /// # Errors
    /// [`Error::InUse`] while another process has it, [`Error::AllInUse`] while other processes have all those for replicas,
    /// [`Error::Unusable`] when it cannot be made or written to.
    pub fn take(folder: &Path, name: &str) -> Result<Self, Error> {
        let (Some(shared), true) = (folder.parent(), folder.ends_with(ANY)) else {
            return Self::take_one(folder, name);
        };
        for replica in 0..REPLICAS {
            match Self::take_one(&shared.join(replica.to_string()), name) {
                Err(Error::InUse { .. }) => {}
                Ok(taken) => {
                    tracing::info!(folder = %taken.path.display(), "took the first data folder that is free");
                    return Ok(taken);
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::AllInUse {
            folder: shared.to_owned(),
        })
    }

    fn take_one(folder: &Path, name: &str) -> Result<Self, Error> {
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

    #[test]
    fn a_replica_takes_over_the_folder_of_one_that_is_gone() {
        let volume = tempfile::tempdir().unwrap();
        let take = || DataFolder::take(&volume.path().join("*"), "transcription").unwrap();
        let replicas = [take(), take(), take()];
        let folders = replicas.each_ref().map(|taken| taken.path().to_owned());
        assert_eq!(
            folders,
            ["0", "1", "2"].map(|name| volume.path().join(name))
        );
        let [_first, gone, _last] = replicas;
        drop(gone);
        assert_eq!(take().path(), folders[1]);
    }

    #[test]
    fn replicas_without_a_volume_are_refused_at_once() {
        let volume = tempfile::NamedTempFile::new().unwrap();
        let refused = DataFolder::take(&volume.path().join("*"), "transcription").unwrap_err();
        assert!(matches!(refused, Error::Unusable { .. }), "{refused}");
    }
}
