#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use tonic_types::StatusExt as _;

use super::*;

fn every_error() -> Vec<Error> {
    let wrong_audience = assertion::Error::WrongAudience {
        expected: "auth.scribemed".to_owned(),
    };
    vec![
        assertion::Error::Malformed("why").into(),
        assertion::Error::Algorithm.into(),
        assertion::Error::UnknownKey.into(),
        assertion::Error::BadSignature.into(),
        wrong_audience.into(),
        assertion::Error::Expired.into(),
        assertion::Error::NotYetValid.into(),
        assertion::Error::TooLongLived.into(),
        Error::Replayed,
        Error::NotGranted {
            client: "documentation".to_owned(),
            missing: "write:notes".to_owned(),
        },
        Error::SubjectIncomplete,
        end_user::Error::Malformed("why").into(),
        end_user::Error::Algorithm {
            expected: "ES256".to_owned(),
        }
        .into(),
        end_user::Error::WrongIssuer {
            expected: "https://id.example".to_owned(),
        }
        .into(),
        end_user::Error::WrongAudience {
            expected: "scribemed".to_owned(),
        }
        .into(),
        end_user::Error::Expired.into(),
        end_user::Error::NotYetValid.into(),
        end_user::Error::BadSignature.into(),
        end_user::Error::KeysUnavailable {
            source: scribemed_auth::BoxError::from("connection refused").into(),
        }
        .into(),
        verifier::Error::UnknownKey.into(),
        Error::NoUser,
        Error::ChainTooLong,
        Error::NoEndUsers,
        store::Error::NoKey.into(),
        Error::Signing(keys::Error::Crypto),
    ]
}

#[test]
fn the_contract_lists_exactly_the_reasons_that_are_given() {
    let given: BTreeSet<String> = every_error()
        .into_iter()
        .map(|error| {
            let details = Status::from(error).get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!(info.domain, "auth.scribemed");
            format!("ERROR_REASON_{}", info.reason)
        })
        .collect();
    let listed: BTreeSet<String> = (1..)
        .map_while(|value| ErrorReason::try_from(value).ok())
        .map(|reason| reason.as_str_name().to_owned())
        .collect();
    assert_eq!(given, listed);
}

#[test]
fn an_assertion_keeps_the_reason_that_it_is_refused_for() {
    for error in every_error() {
        let Error::Assertion(refused) = &error else {
            continue;
        };
        let expect = match refused.reason() {
            "ASSERTION_UNKNOWN_KEY" | "ASSERTION_BAD_SIGNATURE" => "CLIENT_UNKNOWN",
            reason => reason,
        };
        let status = Status::from(error);
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(
            status.get_error_details().error_info().unwrap().reason,
            expect
        );
    }
}

#[test]
fn a_cause_within_is_not_sent() {
    let cause = store::Error::Database(sqlx::Error::Protocol("secret".to_owned()));
    let status = Status::from(Error::from(cause));
    assert_eq!(status.code(), Code::Internal);
    assert!(!format!("{status:?}").contains("secret"));
}

#[test]
fn a_subject_token_that_is_refused_is_the_callers_fault_and_missing_keys_are_not() {
    for error in every_error() {
        let expect = match &error {
            Error::EndUser(error) if error.is_unavailable() => Code::Unavailable,
            Error::EndUser(_) | Error::AccessToken(_) => Code::Unauthenticated,
            Error::SubjectIncomplete | Error::NoUser => Code::InvalidArgument,
            Error::ChainTooLong | Error::NoEndUsers => Code::FailedPrecondition,
            Error::Assertion(_)
            | Error::Replayed
            | Error::NotGranted { .. }
            | Error::Store(_)
            | Error::Signing(_) => continue,
        };
        let status = Status::from(error);
        assert_eq!(status.code(), expect, "{status:?}");
        assert!(!status.message().contains("connection refused"));
    }
}
