//! What is wrong with a service config, and where.

use std::fmt;
use std::path::PathBuf;

/// Why a service config was refused: where, what is wrong, and what would be right.
///
/// # Troubleshooting
/// The place is written as in JavaScript: `methodConfig[1].retryPolicy.maxAttempts` is in the second entry of
/// `methodConfig`. What is no JSON has a line and a column instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    place: Place,
    problem: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Path(String),
    Text { line: usize, column: usize },
}

/// Why the file of a service config was refused.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the service config {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is read, and wrong.
    #[error("the service config {} is refused", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Error,
    },
}

impl Error {
    pub(super) fn at(path: &str, problem: impl Into<String>) -> Self {
        Self {
            place: Place::Path(path.to_owned()),
            problem: problem.into(),
        }
    }

    pub(super) fn no_json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let position = format!(" at line {line} column {column}");
        Self {
            place: Place::Text { line, column },
            problem: text.strip_suffix(&position).unwrap_or(&text).to_owned(),
        }
    }

    /// The place in the JSON: `methodConfig[1].retryPolicy.maxAttempts`. Empty for the whole, and for what is no JSON.
    pub fn path(&self) -> &str {
        match &self.place {
            Place::Path(path) => path,
            Place::Text { .. } => "",
        }
    }

    /// The line and the column, from 1, where the text stops being JSON, or repeats a field. `None` for all other problems.
    pub fn position(&self) -> Option<(usize, usize)> {
        match self.place {
            Place::Path(_) => None,
            Place::Text { line, column } => Some((line, column)),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Path(path) if path.is_empty() => f.write_str("the service config ")?,
            Place::Path(path) => write!(f, "{path} ")?,
            Place::Text { line, column } => write!(f, "line {line}, column {column}: ")?,
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for Error {}
