//! The file, and those that it was before.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::chain::{self, Key, NOTHING};
use crate::entry::Links;

/// More than any record has, in bytes: what is in it comes from a token of 8 KiB at most, and escapes make it longer.
const LONGEST_LINE: u64 = 64 * 1024;

/// Why the audit log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes it.
    #[error(
        "the audit log {} is written by another process: each process needs a file of its own",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be made, read or written.
    #[error("the audit log {} cannot be written", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Its last record is none, so there is nothing to go on from.
    #[error(
        "the last record of the audit log {} is damaged, or was written with another key; `scribemed audit verify` tells \
         more; keep the file elsewhere, and a new chain begins",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) seq: u64,
    pub(crate) hash: String,
}

/// The file that records are appended to.
#[derive(Debug)]
pub(crate) struct Appended {
    path: PathBuf,
    file: File,
    /// What of it is on the disk, in bytes.
    synced: u64,
    /// The number of its first record; `None`: it has none yet.
    first: Option<u64>,
    _lock: File,
}

impl Appended {
    /// Opens the file, makes it (mode 0600) where there is none, and cuts off a line that broke off. Returns where the chain
    /// ends, and how many bytes were cut.
    pub(crate) fn open(path: &Path, key: Option<&Key>) -> Result<(Self, End, u64), OpenError> {
        let unusable = |source| OpenError::Unusable {
            path: path.to_owned(),
            source,
        };
        let lock = create(&suffixed(path, ".lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let mut file = create(path).map_err(unusable)?;
        sync_folder(path).map_err(unusable)?;
        let tail = Tail::read(&mut file).map_err(unusable)?;
        if tail.torn > 0 {
            file.set_len(tail.whole).map_err(unusable)?;
            file.sync_data().map_err(unusable)?;
        }
        let end = if tail.last.is_empty() {
            match earlier(path).map_err(unusable)?.pop() {
                None => End {
                    seq: 0,
                    hash: NOTHING.to_owned(),
                },
                Some((_, before)) => {
                    let mut file = File::open(&before).map_err(unusable)?;
                    let tail = Tail::read(&mut file).map_err(unusable)?;
                    end_of(&tail.last, key).ok_or(OpenError::Damaged { path: before })?
                }
            }
        } else {
            end_of(&tail.last, key).ok_or_else(|| OpenError::Damaged {
                path: path.to_owned(),
            })?
        };
        let first = first_of(&mut file).map_err(unusable)?;
        let opened = Self {
            path: path.to_owned(),
            file,
            synced: tail.whole,
            first,
            _lock: lock,
        };
        Ok((opened, end, tail.torn))
    }

    /// Appends whole lines after what is synced and `written` more bytes; the first of them is that of record `seq`.
    pub(crate) fn append(&mut self, written: usize, lines: &[u8], seq: u64) -> io::Result<()> {
        self.file
            .seek(SeekFrom::Start(self.synced + written as u64))?;
        self.file.write_all(lines)?;
        self.first.get_or_insert(seq);
        Ok(())
    }

    /// What was appended is on the disk: `written` bytes.
    pub(crate) fn sync(&mut self, written: usize) -> io::Result<()> {
        self.file.sync_data()?;
        self.synced += written as u64;
        Ok(())
    }

    /// Forgets what was appended and is not on the disk: after a failure nobody knows what of it is.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        self.file.set_len(self.synced)
    }

    /// Puts a device in the place of the file that takes nothing, or the file back.
    #[cfg(test)]
    pub(crate) fn set_full(&mut self, full: bool) -> io::Result<()> {
        let path = if full {
            Path::new("/dev/full")
        } else {
            &self.path
        };
        self.file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(())
    }

    /// How large the part of it is that is on the disk, in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.synced
    }

    /// Puts the file aside, named after its first record, and begins a new one.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        let Some(first) = self.first else {
            return Ok(());
        };
        let aside = suffixed(&self.path, &format!(".{first:012}"));
        std::fs::rename(&self.path, &aside)?;
        self.file = create(&self.path).or_else(|error| {
            // Back, so that the file that is written has its name.
            std::fs::rename(&aside, &self.path)?;
            Err(error)
        })?;
        sync_folder(&self.path)?;
        (self.synced, self.first) = (0, None);
        Ok(())
    }
}

/// The files that were put aside, by the number of their first record, in that order.
pub(crate) fn earlier(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder(path))? {
        let entry = entry?;
        let file = entry.file_name();
        let number = file
            .to_str()
            .and_then(|file| file.strip_prefix(&*name)?.strip_prefix('.'))
            .filter(|number| number.len() >= 12)
            .and_then(|number| number.parse().ok());
        if let Some(number) = number {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

/// The end of a file.
struct Tail {
    /// The last whole line, without its end.
    last: Vec<u8>,
    /// How far whole lines go, in bytes.
    whole: u64,
    /// What comes after them.
    torn: u64,
}

impl Tail {
    fn read(file: &mut File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let from = length.saturating_sub(2 * LONGEST_LINE);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(2 * LONGEST_LINE).read_to_end(&mut bytes)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let (lines, torn) = match end {
            Some(end) => (&bytes[..end], bytes.len() - end - 1),
            // Nothing but a line that broke off; or one that is none of ours, which is not cut.
            None if from == 0 => (&bytes[..0], bytes.len()),
            None => (&bytes[..], 0),
        };
        let last = lines.rsplit(|byte| *byte == b'\n').next();
        Ok(Self {
            last: last.unwrap_or_default().to_owned(),
            whole: length - torn as u64,
            torn: torn as u64,
        })
    }
}

fn end_of(line: &[u8], key: Option<&Key>) -> Option<End> {
    let (body, hash) = chain::open(line)?;
    let links = Links::read(body)?;
    chain::holds(key, body, hash).then(|| End {
        seq: links.seq,
        hash: hash.to_owned(),
    })
}

/// The number of the first record.
fn first_of(file: &mut File) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.take(LONGEST_LINE).read_to_end(&mut bytes)?;
    let line = bytes.split(|byte| *byte == b'\n').next();
    let links = line
        .and_then(chain::open)
        .and_then(|(body, _)| Links::read(body));
    Ok(links.map(|links| links.seq))
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// A new name is on the disk when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path))?.sync_all()
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
