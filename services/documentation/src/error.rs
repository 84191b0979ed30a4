//! What can go wrong, and how each of it goes over the wire.

use scribemed_proto::documentation::v2::ErrorReason;
use scribemed_rpc::Fault;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::convert;
use crate::note::{self, Etag, FailureReason, Note};
use crate::section::{NoteType, SectionError};
use crate::store;

/// The `ErrorInfo.domain` of this service.
pub(crate) const DOMAIN: &str = "documentation.scribemed";

/// Why the service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such note.
    #[error("there is no note {id}")]
    NotFound {
        /// The id that was asked for.
        id: Uuid,
    },
    /// The note is signed and cannot be changed.
    #[error("the note {id} is signed and cannot be changed")]
    Signed {
        /// The note.
        id: Uuid,
    },
    /// The note is still being generated.
    #[error("the note {id} is still being generated; watch it to see when it is there")]
    Generating {
        /// The note.
        id: Uuid,
    },
    /// The note could not be generated.
    #[error("the note {id} could not be generated: {}", .reason.message())]
    Failed {
        /// The note.
        id: Uuid,
        /// Why not.
        reason: FailureReason,
    },
    /// The note has changed since the caller read it.
    #[error("the note {id} has changed since it was read; read it again")]
    EtagMismatch {
        /// The note.
        id: Uuid,
        /// Its etag as it is.
        current: Etag,
    },
    /// A section does not fit the type of the note.
    #[error("{problem}")]
    Section {
        /// The type of the note.
        note_type: NoteType,
        /// What does not fit.
        problem: SectionError,
    },
    /// The request id was used with other content.
    #[error("the request id {request_id} was used with other content; give each request its own")]
    RequestIdReused {
        /// The request id.
        request_id: Uuid,
    },
    /// The page token is not one of ours, or belongs to a list with another filter.
    #[error(
        "the page token was not made by this method for the same filter; begin with the first page"
    )]
    PageToken,
    /// The store failed. The cause is for the log.
    #[error("the service's store failed")]
    Store(#[source] store::Error),
    /// The service is shutting down.
    #[error("the service is shutting down; watch again")]
    ShuttingDown,
}

impl Error {
    /// What `note` says to a change that it does not allow.
    pub(crate) fn refused(note: &Note, refused: note::Error) -> Self {
        let id = note.id();
        match refused {
            note::Error::Generating => Self::Generating { id },
            note::Error::Failed { reason } => Self::Failed { id, reason },
            note::Error::Signed => Self::Signed { id },
            note::Error::EtagMismatch { current } => Self::EtagMismatch { id, current },
            note::Error::Section(problem) => Self::Section {
                note_type: note.identity().note_type,
                problem,
            },
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound { id } => Self::NotFound { id },
            store::Error::EtagMismatch { id, current } => Self::EtagMismatch { id, current },
            store::Error::Signed { id } => Self::Signed { id },
            store::Error::PageToken => Self::PageToken,
            store::Error::RequestIdReused { request_id } => Self::RequestIdReused { request_id },
            other @ (store::Error::AlreadyExists { .. }
            | store::Error::Corrupt { .. }
            | store::Error::Open(_)
            | store::Error::Database(_)
            | store::Error::Migrate(_)) => Self::Store(other),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let fault = |code, reason: ErrorReason| Fault::new(code, name(reason), DOMAIN, &*message);
        // The note is not in a state that allows it.
        let state = |reason: ErrorReason, id: Uuid| {
            fault(Code::FailedPrecondition, reason)
                .precondition(name(reason), format!("notes/{id}"), &*message)
                .metadata("note_id", id.to_string())
        };
        let section = |reason, index: usize, kind| {
            let section = convert::section_kind(kind).as_str_name();
            fault(Code::InvalidArgument, reason)
                .field(format!("sections[{index}].kind"), &*message)
                .metadata("section", section)
        };
        match error {
            Error::NotFound { id } => {
                fault(Code::NotFound, ErrorReason::NoteNotFound).metadata("note_id", id.to_string())
            }
            Error::Signed { id } => state(ErrorReason::NoteSigned, id),
            Error::Generating { id } => state(ErrorReason::NoteGenerating, id),
            Error::Failed { id, reason: _ } => state(ErrorReason::NoteFailed, id),
            Error::EtagMismatch { id, current } => fault(Code::Aborted, ErrorReason::EtagMismatch)
                .metadata("note_id", id.to_string())
                .metadata("etag", current.as_str()),
            Error::Section {
                note_type,
                problem: SectionError::Foreign { index, kind },
            } => section(ErrorReason::SectionUnknown, index, kind)
                .metadata("note_type", convert::note_type(note_type).as_str_name()),
            Error::Section {
                note_type: _,
                problem: SectionError::Repeated { index, kind },
            } => section(ErrorReason::SectionRepeated, index, kind),
            Error::RequestIdReused { request_id } => {
                fault(Code::AlreadyExists, ErrorReason::RequestIdReused)
                    .metadata("request_id", request_id.to_string())
            }
            Error::PageToken => fault(Code::InvalidArgument, ErrorReason::PageTokenInvalid)
                .field("page_token", &*message),
            Error::Store(cause) => {
                let cause: &dyn std::error::Error = &cause;
                tracing::error!(error = cause, "the store failed");
                fault(Code::Internal, ErrorReason::StoreFailed)
            }
            Error::ShuttingDown => fault(Code::Unavailable, ErrorReason::ShuttingDown),
        }
        .into_status()
    }
}

/// The name of a reason as `ErrorInfo` has it.
fn name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

#[cfg(test)]
mod tests;
