//! What goes wrong, and how it is told to a caller.

use scribemed_rpc::{Fault, Violation};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::reason::Reason;
use crate::transcription::State;
use crate::{audio, source};

/// The domain of this service's reasons.
const DOMAIN: &str = "transcription.scribemed";
/// The domain of what the contract itself asks for, as the generated codec has it.
const CONTRACT: &str = "contract.scribemed";

/// Why a call is not answered as it was meant to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A field breaks a rule that the contract states in words.
    #[error("{field}: {rule}")]
    Field {
        /// Which.
        field: &'static str,
        /// What would be right.
        rule: &'static str,
    },
    /// The recording cannot be used.
    #[error("{why}")]
    Audio {
        /// The field that it came by.
        field: &'static str,
        /// Why not.
        why: audio::Error,
    },
    /// The URI cannot be used.
    #[error("{why}")]
    Uri {
        /// The field that it came by.
        field: &'static str,
        /// Why not.
        why: source::Error,
    },
    /// There is no speech model.
    #[error("no speech model is installed: {detail}")]
    ModelMissing {
        /// What was found in its place, and what to do.
        detail: String,
    },
    /// There is no such transcription.
    #[error("there is no transcription {id}")]
    NotFound {
        /// As asked for.
        id: Uuid,
    },
    /// It has no text.
    #[error("the transcription {id} has no text: it is {}", state.as_str())]
    NotFinished {
        /// Which.
        id: Uuid,
        /// Where it stands.
        state: State,
    },
    /// It cannot be cancelled any more.
    #[error("the transcription {id} cannot be cancelled: it is {}", state.as_str())]
    Finished {
        /// Which.
        id: Uuid,
        /// Where it stands.
        state: State,
    },
    /// The request id stands for something else.
    #[error(
        "the request id {id} was used with another recording: a repeat sends the same, anything else needs a new id"
    )]
    RequestIdReused {
        /// The id.
        id: Uuid,
    },
    /// The page token is not one of this list's.
    #[error(
        "page_token: it must be the next_page_token of a list with the same state, or empty for the first page"
    )]
    PageToken,
    /// The store failed.
    #[error("the store failed; the service's log tells more under this request's id")]
    Store(#[from] sqlx::Error),
    /// The service is shutting down.
    #[error("the service is shutting down; what was accepted goes on after its restart")]
    ShuttingDown,
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let fault =
            |code, reason: Reason| Fault::new(code, reason.as_str(), DOMAIN, error.to_string());
        match &error {
            Error::Field { field, rule } => Fault::invalid(
                CONTRACT,
                &[Violation::new(*field, "scribemed.field", *rule)],
            ),
            Error::Audio { field, why } => {
                let fault = fault(Code::InvalidArgument, why.into());
                with_limit(fault, why).field(*field, error.to_string())
            }
            Error::Uri { field, why } => {
                let code = if why.is_retryable() {
                    Code::Unavailable
                } else {
                    Code::InvalidArgument
                };
                let fault = fault(code, why.into()).field(*field, error.to_string());
                match why {
                    source::Error::TooLarge { limit } => {
                        fault.metadata("limit_bytes", limit.to_string())
                    }
                    source::Error::Malformed { .. }
                    | source::Error::Refused { .. }
                    | source::Error::Missing { .. }
                    | source::Error::Unavailable { .. } => fault,
                }
            }
            Error::ModelMissing { detail } => fault(Code::FailedPrecondition, Reason::ModelMissing)
                .precondition("MODEL", "speech model", detail),
            Error::NotFound { id } => fault(Code::NotFound, Reason::TranscriptionNotFound)
                .metadata("transcription_id", id.to_string()),
            Error::NotFinished { id, state } => unfit(
                fault(Code::FailedPrecondition, Reason::TranscriptionNotFinished),
                *id,
                *state,
            ),
            Error::Finished { id, state } => unfit(
                fault(Code::FailedPrecondition, Reason::TranscriptionFinished),
                *id,
                *state,
            ),
            Error::RequestIdReused { id } => fault(Code::AlreadyExists, Reason::RequestIdReused)
                .metadata("request_id", id.to_string()),
            Error::PageToken => fault(Code::InvalidArgument, Reason::PageTokenInvalid)
                .field("page_token", error.to_string()),
            Error::Store(source) => {
                tracing::error!(error = source as &dyn std::error::Error, "the store failed");
                // A database that is busy or out of connections is so for a moment; the rest is a fault of ours.
                let passing = matches!(source, sqlx::Error::PoolTimedOut)
                    || source
                        .as_database_error()
                        .and_then(sqlx::error::DatabaseError::code)
                        .is_some_and(|code| code == "5");
                let code = if passing {
                    Code::Unavailable
                } else {
                    Code::Internal
                };
                fault(code, Reason::StoreFailed)
            }
            Error::ShuttingDown => fault(Code::Unavailable, Reason::ShuttingDown),
        }
        .into_status()
    }
}

/// The limit that a recording passes.
fn with_limit(fault: Fault, error: &audio::Error) -> Fault {
    match error {
        audio::Error::TooLarge { limit, .. } => fault.metadata("limit_bytes", limit.to_string()),
        audio::Error::TooLong { limit } => {
            fault.metadata("limit_seconds", limit.as_secs().to_string())
        }
        audio::Error::Empty
        | audio::Error::Unsupported { .. }
        | audio::Error::LyingHeader { .. }
        | audio::Error::Truncated { .. }
        | audio::Error::Silent { .. }
        | audio::Error::Corrupt { .. } => fault,
    }
}

/// The transcription that is in the wrong state.
fn unfit(fault: Fault, id: Uuid, state: State) -> Fault {
    fault
        .metadata("transcription_id", id.to_string())
        .metadata("state", state.as_str())
        .precondition("STATE", id.to_string(), format!("it is {}", state.as_str()))
}
