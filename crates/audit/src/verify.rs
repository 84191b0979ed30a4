//! Whether a chain is whole.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use crate::chain::{self, Key, NOTHING};
use crate::entry::Links;
use crate::file::earlier;

/// A chain that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// In how many files.
    pub files: usize,
    /// How many records.
    pub records: u64,
    /// The number of the first record; above 1, older files lie elsewhere.
    pub first: u64,
    /// The number of the last record.
    pub last: u64,
    /// Records of a start before which the process did not end as it should: it was killed, or the last records before
    /// were cut off.
    pub unclean: Vec<u64>,
}

/// Why a chain is not whole, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}, line {line}: {problem}", file.display())]
pub struct Broken {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It has no end: the process was killed while it wrote, and its next start cuts this off.
    Torn,
    /// It is no record.
    NotARecord,
    /// The record was changed, or its hash was made with another key.
    Changed {
        /// Its number, as it says.
        seq: u64,
    },
    /// Records are missing before it.
    Missing {
        /// Its number.
        seq: u64,
        /// The number of the record that should stand here.
        expected: u64,
    },
    /// It stands too late: records were put elsewhere, or twice.
    Moved {
        /// Its number.
        seq: u64,
        /// The number of the record that should stand here.
        expected: u64,
    },
    /// It does not follow the record before it: that is another one than was here.
    Replaced {
        /// Its number.
        seq: u64,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torn => f.write_str("the line breaks off"),
            Self::NotARecord => f.write_str("this is no record"),
            Self::Changed { seq } => write!(
                f,
                "record {seq} was changed, or its hash was made with another key"
            ),
            Self::Missing { seq, expected } => {
                write!(
                    f,
                    "record {expected} is missing: record {seq} stands in its place"
                )
            }
            Self::Moved { seq, expected } => {
                write!(
                    f,
                    "record {seq} is out of order: record {expected} should stand here"
                )
            }
            Self::Replaced { seq } => write!(
                f,
                "record {seq} does not follow the record before it, which is not the one that was there"
            ),
        }
    }
}

/// Why a chain is not found whole.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is broken.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It ends too early.
    #[error(
        "the chain ends with record {last}, and record {expected} was written: the last records were cut off"
    )]
    CutOff {
        /// The last record that there is.
        last: u64,
        /// The record that is known to have been written.
        expected: u64,
    },
}

/// Reads the audit log `path` and what it was before, in the order in which it was written, and tells the first record that
/// is not as it was. `reaches`: the number of a record that is known from elsewhere to have been written.
///
/// # Errors
/// [`VerifyError::Broken`] names the first line that is wrong; [`VerifyError::CutOff`] where the chain does not reach that
/// far.
pub fn verify(path: &Path, key: Option<&Key>, reaches: Option<u64>) -> Result<Report, VerifyError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| VerifyError::Unreadable { path, source }
    };
    let mut files: Vec<PathBuf> = earlier(path)
        .map_err(unreadable(path))?
        .into_iter()
        .map(|(_, file)| file)
        .collect();
    files.push(path.to_owned());
    let mut chain = Chain::default();
    for file in files {
        let mut lines = BufReader::new(File::open(&file).map_err(unreadable(&file))?);
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            if lines
                .read_until(b'\n', &mut bytes)
                .map_err(unreadable(&file))?
                == 0
            {
                break;
            }
            chain.follow(&bytes, key).map_err(|problem| Broken {
                file: file.clone(),
                line,
                problem,
            })?;
        }
        chain.report.files += 1;
    }
    let last = chain.report.last;
    match reaches {
        Some(expected) if last < expected => Err(VerifyError::CutOff { last, expected }),
        Some(_) | None => Ok(chain.report),
    }
}

#[derive(Default)]
struct Chain {
    report: Report,
    /// The hash of the last record.
    hash: Option<String>,
    closed: bool,
}

impl Chain {
    fn follow(&mut self, line: &[u8], key: Option<&Key>) -> Result<(), Problem> {
        let line = line.strip_suffix(b"\n").ok_or(Problem::Torn)?;
        let (body, hash) = chain::open(line).ok_or(Problem::NotARecord)?;
        let links = Links::read(body).ok_or(Problem::NotARecord)?;
        let seq = links.seq;
        if !chain::holds(key, body, hash) {
            return Err(Problem::Changed { seq });
        }
        let report = &mut self.report;
        if let Some(before) = &self.hash {
            let expected = report.last + 1;
            if seq > expected {
                return Err(Problem::Missing { seq, expected });
            }
            if seq < expected {
                return Err(Problem::Moved { seq, expected });
            }
            if links.prev != *before {
                return Err(Problem::Replaced { seq });
            }
            if links.event == "opened" && !self.closed {
                report.unclean.push(seq);
            }
        } else {
            // Older files may lie elsewhere; the first record of all has nothing before it.
            if seq == 1 && links.prev != NOTHING {
                return Err(Problem::Replaced { seq });
            }
            report.first = seq;
        }
        report.last = seq;
        report.records += 1;
        self.hash = Some(hash.to_owned());
        self.closed = links.event == "closed";
        Ok(())
    }
}
