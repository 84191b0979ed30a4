//! What a call is answered with when it fails.

use std::error::Error as StdError;

use scribemed_auth::{assertion, keys};
use scribemed_proto::auth::v1::ErrorReason;
use scribemed_rpc::Fault;
use tonic::{Code, Status};

use crate::store;

/// The domain of this service's reasons.
const DOMAIN: &str = "auth.scribemed";

/// Why a call fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The client assertion is not good.
    #[error(transparent)]
    Assertion(#[from] assertion::Error),
    /// The client assertion was taken before.
    #[error(
        "the client assertion has been used before: make a new one, with its own `jti`, for each request"
    )]
    Replayed,
    /// The client may not have what it asks for.
    #[error(
        "{client} is not granted {missing}: ask for less, or grant it in the auth service's grants file"
    )]
    NotGranted {
        /// The authenticated client.
        client: String,
        /// The permissions that it lacks, separated by spaces.
        missing: String,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
    /// The token could not be signed.
    #[error("the token could not be signed")]
    Signing(#[source] keys::Error),
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Assertion(error) => unauthenticated(&error),
            Error::Replayed => fault(
                Code::Unauthenticated,
                ErrorReason::AssertionReplayed,
                error.to_string(),
            ),
            Error::NotGranted {
                ref client,
                ref missing,
            } => fault(
                Code::PermissionDenied,
                ErrorReason::PermissionNotGranted,
                error.to_string(),
            )
            .metadata("client", client)
            .metadata("missing", missing),
            Error::Store(cause) => internal(
                ErrorReason::StoreFailed,
                "the auth service's store failed; its log says why",
                &cause,
            ),
            Error::Signing(cause) => internal(
                ErrorReason::SigningFailed,
                "the token could not be signed; the auth service's log says why",
                &cause,
            ),
        }
        .into_status()
    }
}

fn unauthenticated(error: &assertion::Error) -> Fault {
    let reason = match error {
        assertion::Error::Malformed(_) => ErrorReason::AssertionMalformed,
        assertion::Error::Algorithm => ErrorReason::AssertionAlgorithm,
        // Said in the same words of a client that does not exist: see `exchange`.
        assertion::Error::UnknownKey | assertion::Error::BadSignature => {
            return fault(
                Code::Unauthenticated,
                ErrorReason::ClientUnknown,
                "no client of the assertion's name has the key that signed it: check the name in `iss`, and that the \
                 public half of the key stands in the auth service's grants file",
            );
        }
        assertion::Error::WrongAudience { .. } => ErrorReason::AssertionWrongAudience,
        assertion::Error::Expired => ErrorReason::AssertionExpired,
        assertion::Error::NotYetValid => ErrorReason::AssertionNotYetValid,
        assertion::Error::TooLongLived => ErrorReason::AssertionTooLongLived,
    };
    fault(Code::Unauthenticated, reason, error.to_string())
}

/// The cause is for the operator only.
fn internal(reason: ErrorReason, message: &str, cause: &(dyn StdError + 'static)) -> Fault {
    tracing::error!(error = cause, "{message}");
    fault(Code::Internal, reason, message)
}

fn fault(code: Code, reason: ErrorReason, message: impl Into<String>) -> Fault {
    let name = reason.as_str_name();
    let reason = name.strip_prefix("ERROR_REASON_").unwrap_or(name);
    Fault::new(code, reason, DOMAIN, message)
}

#[cfg(test)]
mod tests;
