//! What stops the build.

use std::fmt;
use std::path::{Path, PathBuf};

use prost_reflect::FileDescriptor;

use crate::place;

/// Why nothing was generated.
#[derive(thiserror::Error)]
pub enum Error {
    /// Not called from a build script.
    #[error("OUT_DIR is not set; call this from build.rs")]
    NoOutDir,
    /// A file or folder cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The files are no valid protobuf. Only the compiler's debug form tells the file and the line.
    #[error("the contract does not compile: {0:?}")]
    Compile(Box<protox::Error>),
    /// The descriptors cannot be read.
    #[error("the descriptors cannot be read")]
    Descriptor(#[source] prost_reflect::prost::DecodeError),
    /// The descriptors cannot be linked.
    #[error("the descriptors cannot be linked")]
    Pool(#[from] prost_reflect::DescriptorError),
    /// The contract lacks something, or contradicts itself.
    #[error("the contract is refused:{}", list(.0))]
    Contract(Vec<Problem>),
    /// The code cannot be written.
    #[error("the code cannot be written")]
    Generate(#[source] std::io::Error),
}

/// As people read it: this is how cargo shows the error that a build script's `main` returns.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl From<protox::Error> for Error {
    fn from(error: protox::Error) -> Self {
        Self::Compile(Box::new(error))
    }
}

fn list(problems: &[Problem]) -> String {
    use fmt::Write as _;

    problems.iter().fold(String::new(), |mut out, problem| {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n  {problem}");
        out
    })
}

/// Something that is wrong with a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file: `scribemed/auth/v1/auth.proto`.
    pub file: String,
    /// The full name of the element: `scribemed.auth.v1.AuthService.GetKeySet`.
    pub element: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// Where in the file the element begins, if that is known.
    pub place: Option<Place>,
}

/// A place in a file, counted from 1 as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column, in bytes.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Problem {
    /// Something that is wrong with `element`, which is declared in `file`.
    pub(crate) fn of(file: &FileDescriptor, element: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.name().to_owned(),
            element: element.to_owned(),
            message: message.into(),
            place: place::of(file, element),
        }
    }

    /// A file that is no valid protobuf, or that imports one.
    pub(crate) fn of_file(file: &Path, error: &protox::Error) -> Self {
        let name = file.to_string_lossy().into_owned();
        Self {
            element: name.clone(),
            file: name,
            // Only the compiler's debug form tells the line.
            message: format!("{error:?}"),
            place: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            element,
            message,
            place,
        } = self;
        match place {
            Some(place) => write!(f, "{file}:{place}: {element}: {message}"),
            None => write!(f, "{file}: {element}: {message}"),
        }
    }
}
