//! Why a note refuses a change.

use super::{Etag, FailureReason, StateName};
use crate::section::SectionError;

/// A change that the note's state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The note is still being drafted.
    #[error("the note is still being generated")]
    Generating,
    /// The note could not be drafted, so there is nothing to change or sign.
    #[error("the note could not be generated: {}", .reason.message())]
    Failed {
        /// Why not.
        reason: FailureReason,
    },
    /// The note is signed and cannot be changed any more.
    #[error("the note is signed and cannot be changed")]
    Signed,
    /// The note has changed since the caller read it.
    #[error("the note has changed: its etag is now \"{current}\"")]
    EtagMismatch {
        /// The etag of the note as it is.
        current: Etag,
    },
    /// A section does not fit.
    #[error(transparent)]
    Section(#[from] SectionError),
}

/// A draft, or the news that there is none, arrives for a note that does not wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the note is not being generated, it is {state}")]
pub struct NotGenerating {
    /// What it is instead.
    pub state: StateName,
}
