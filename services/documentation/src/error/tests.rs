#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::BTreeSet;

use tonic_types::StatusExt as _;

use super::*;
use crate::section::SectionKind;

const ID: Uuid = Uuid::from_u128(7);

/// One of each error, with the code and the metadata that the contract promises.
fn all() -> Vec<(Error, Code, &'static [&'static str])> {
    let id = ID;
    let section = |problem| Error::Section {
        note_type: NoteType::Soap,
        problem,
    };
    let (index, kind) = (2, SectionKind::FollowUp);
    vec![
        (Error::NotFound { id }, Code::NotFound, &["note_id"]),
        (Error::Signed { id }, Code::FailedPrecondition, &["note_id"]),
        (
            Error::Generating { id },
            Code::FailedPrecondition,
            &["note_id"],
        ),
        (
            Error::Failed {
                id,
                reason: FailureReason::StoreFailed,
            },
            Code::FailedPrecondition,
            &["note_id"],
        ),
        (
            Error::EtagMismatch {
                id,
                current: Etag::from_wire("e"),
            },
            Code::Aborted,
            &["etag", "note_id"],
        ),
        (
            section(SectionError::Foreign { index, kind }),
            Code::InvalidArgument,
            &["note_type", "section"],
        ),
        (
            section(SectionError::Repeated { index, kind }),
            Code::InvalidArgument,
            &["section"],
        ),
        (
            Error::RequestIdReused { request_id: id },
            Code::AlreadyExists,
            &["request_id"],
        ),
        (Error::PageToken, Code::InvalidArgument, &[]),
        (
            Error::Store(store::Error::Corrupt { column: "sections" }),
            Code::Internal,
            &[],
        ),
        (Error::ShuttingDown, Code::Unavailable, &[]),
    ]
}

#[test]
fn every_error_has_the_code_and_the_details_of_the_contract() {
    for (error, code, metadata) in all() {
        let shown = format!("{error:?}");
        let status = Status::from(error);
        assert_eq!(status.code(), code, "{shown}");
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!(info.domain, "documentation.scribemed", "{shown}");
        let keys: BTreeSet<&str> = info.metadata.keys().map(String::as_str).collect();
        assert_eq!(keys, metadata.iter().copied().collect(), "{shown}");
        let violated = details.precondition_failure().is_some();
        assert_eq!(violated, code == Code::FailedPrecondition, "{shown}");
        let fields = details.bad_request().is_some();
        assert_eq!(fields, code == Code::InvalidArgument, "{shown}");
    }
}

#[test]
fn a_section_is_named_by_its_place() {
    let status = Status::from(Error::Section {
        note_type: NoteType::Soap,
        problem: SectionError::Repeated {
            index: 2,
            kind: SectionKind::Plan,
        },
    });
    let details = status.get_error_details();
    let field = &details.bad_request().unwrap().field_violations[0];
    assert_eq!(field.field, "sections[2].kind");
    assert_eq!(
        details.error_info().unwrap().metadata["section"],
        "SECTION_KIND_PLAN"
    );
}

#[test]
fn the_contract_names_each_reason_and_no_other() {
    let of_errors = all().into_iter().map(|(error, ..)| {
        let details = Status::from(error).get_error_details();
        format!("ERROR_REASON_{}", details.error_info().unwrap().reason)
    });
    let of_failures = FailureReason::ALL.map(|reason| {
        let listed = convert::failure_reason(reason).as_str_name();
        assert_eq!(listed, format!("ERROR_REASON_{}", reason.name()));
        listed.to_owned()
    });
    let given: BTreeSet<String> = of_errors.chain(of_failures).collect();
    let listed: BTreeSet<String> = (1..)
        .map_while(|number| ErrorReason::try_from(number).ok())
        .map(|reason| reason.as_str_name().to_owned())
        .collect();
    assert_eq!(given, listed);
}
