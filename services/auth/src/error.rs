//! What a call is answered with when it fails.

use std::error::Error as StdError;

use scribemed_auth::{assertion, end_user, keys, verifier};
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
    /// One of the two fields of a subject token is empty.
    #[error("`subject_token` and `subject_token_type` go together: send both or none")]
    SubjectIncomplete,
    /// The subject token, of an issuer elsewhere, is not good.
    #[error(transparent)]
    EndUser(#[from] end_user::Error),
    /// The subject token, an access token of our own, is not good.
    #[error("of the subject token")]
    AccessToken(#[from] verifier::Error),
    /// The subject token, an access token of our own, is of a service that acts for itself.
    #[error(
        "the subject token is a service's own and not on behalf of an end user: exchange without `subject_token`"
    )]
    NoUser,
    /// Too many services act for the user already.
    #[error(
        "8 services act for the end user already, one by order of the other: shorten the chain of calls"
    )]
    ChainTooLong,
    /// A token of an end user, and no issuer of such.
    #[error(
        "no issuer of end users is configured: set SCRIBEMED_END_USER_ISSUER and its like at the auth service"
    )]
    NoEndUsers,
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
            Error::SubjectIncomplete => {
                let message = error.to_string();
                fault(
                    Code::InvalidArgument,
                    ErrorReason::SubjectTokenIncomplete,
                    message.as_str(),
                )
                .field("subject_token", message)
            }
            Error::EndUser(error) => end_user(&error),
            Error::AccessToken(error) => access_token(&error),
            Error::NoUser => {
                let message = error.to_string();
                fault(
                    Code::InvalidArgument,
                    ErrorReason::SubjectTokenNoUser,
                    message.as_str(),
                )
                .field("subject_token", message)
            }
            Error::ChainTooLong => fault(
                Code::FailedPrecondition,
                ErrorReason::SubjectChainTooLong,
                error.to_string(),
            ),
            Error::NoEndUsers => fault(
                Code::FailedPrecondition,
                ErrorReason::EndUsersNotConfigured,
                error.to_string(),
            ),
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

fn end_user(error: &end_user::Error) -> Fault {
    let reason = match error {
        end_user::Error::Malformed(_) => ErrorReason::SubjectTokenMalformed,
        end_user::Error::Algorithm { .. } => ErrorReason::SubjectTokenAlgorithm,
        end_user::Error::WrongIssuer { .. } => ErrorReason::SubjectTokenWrongIssuer,
        end_user::Error::WrongAudience { .. } => ErrorReason::SubjectTokenWrongAudience,
        end_user::Error::Expired => ErrorReason::SubjectTokenExpired,
        end_user::Error::NotYetValid => ErrorReason::SubjectTokenNotYetValid,
        end_user::Error::BadSignature => ErrorReason::SubjectTokenBadSignature,
        end_user::Error::KeysUnavailable { .. } => return no_keys(error, error.to_string()),
    };
    fault(Code::Unauthenticated, reason, error.to_string())
}

fn access_token(error: &verifier::Error) -> Fault {
    let message = format!("of the subject token: {error}");
    let reason = match error {
        verifier::Error::Missing | verifier::Error::Malformed(_) => {
            ErrorReason::SubjectTokenMalformed
        }
        verifier::Error::Algorithm => ErrorReason::SubjectTokenAlgorithm,
        verifier::Error::WrongIssuer { .. } => ErrorReason::SubjectTokenWrongIssuer,
        verifier::Error::WrongAudience { .. } => ErrorReason::SubjectTokenWrongAudience,
        verifier::Error::Expired => ErrorReason::SubjectTokenExpired,
        verifier::Error::NotYetValid => ErrorReason::SubjectTokenNotYetValid,
        verifier::Error::UnknownKey | verifier::Error::BadSignature => {
            ErrorReason::SubjectTokenBadSignature
        }
        verifier::Error::KeysUnavailable { .. } => return no_keys(error, message),
    };
    fault(Code::Unauthenticated, reason, message)
}

/// The cause is for the operator only; the client may try again.
fn no_keys(cause: &(dyn StdError + 'static), message: String) -> Fault {
    tracing::warn!(error = cause, "no keys to verify a subject token with");
    fault(
        Code::Unavailable,
        ErrorReason::SubjectKeysUnavailable,
        message,
    )
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
