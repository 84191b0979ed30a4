//! What breaks nobody is not found.

use scribemed_contract::check::check;

use crate::contract::{AUTH, AUTH_REASONS, Contract, Edit, NOTES_2, SPEECH_1, SPEECH_2, TODAY};
use Edit::Swap;

const HARMLESS: &[(&str, &[Edit])] = &[
    ("nothing", &[]),
    (
        "a comment",
        &[Swap(AUTH, "", "// The public keys that verify", "// Public keys: they verify")],
    ),
    (
        "a method",
        &[Swap(
            AUTH,
            "",
            "// The public keys that verify",
            "rpc ListKeys(GetKeySetRequest) returns (GetKeySetResponse) {
               option idempotency_level = NO_SIDE_EFFECTS;
               option (scribemed.options.v1.method) = {public: true};
             }
             //",
        )],
    ),
    (
        "an optional field of a request, and one with a rule that takes what is left out",
        &[Swap(
            NOTES_2,
            "",
            "message GetNoteRequest {",
            "message GetNoteRequest {
               string view = 98;
               string etag = 99 [(buf.validate.field).string.min_len = 3, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];
               int32 depth = 97 [(buf.validate.field).int32.gte = 0];",
        )],
    ),
    (
        "a required field of a response",
        &[Swap(
            NOTES_2,
            "",
            "message GetNoteResponse {",
            "message GetNoteResponse {\n  string view = 99 [(buf.validate.field).required = true];",
        )],
    ),
    (
        "a longer timeout",
        &[Swap(SPEECH_2, "rpc UploadTranscription(", "seconds: 120", "seconds: 240")],
    ),
    (
        "fewer permissions, and public",
        &[
            Swap(AUTH, "rpc RotateKeys(", "permissions: [\"rotate:keys\"]", "public: true"),
        ],
    ),
    (
        "another number of attempts",
        &[Swap(SPEECH_2, "service TranscriptionService", "max_attempts: 3", "max_attempts: 2")],
    ),
    (
        "a larger request",
        &[Swap(SPEECH_2, "rpc CreateTranscription(", "26279936", "36279936")],
    ),
    (
        "one more address over HTTP",
        &[Swap(
            NOTES_2,
            "",
            "{get: \"/v2/notes/{note_id}\"}",
            "{get: \"/v2/notes/{note_id}\" additional_bindings: {get: \"/v2/note/{note_id}\"}}",
        )],
    ),
    (
        "a later sunset",
        &[Swap(SPEECH_1, "sunset_on:", "2027-11-01", "2028-11-01")],
    ),
    (
        "a deprecation that is announced",
        &[Swap(
            AUTH,
            "rpc RotateKeys(",
            "option (scribemed.options.v1.method) = {",
            "option deprecated = true;
             option (scribemed.options.v1.method) = {
               lifecycle: {
                 deprecated_on: \"2026-11-25\" sunset_on: \"2027-11-25\"
                 successor: \"scribemed.auth.v1.AuthService.GetKeySet\"
               }",
        )],
    ),
    (
        "a looser rule of a request",
        &[Swap(SPEECH_1, "message CreateTranscriptionRequest", "max_len = 2048", "max_len = 4096")],
    ),
    (
        "a rule of a response where there was none",
        &[Swap(
            SPEECH_1,
            "message CreateTranscriptionResponse",
            "job_id = 1;",
            "job_id = 1 [(buf.validate.field).string.uuid = true];",
        )],
    ),
    (
        "a value of an enum that requests must know",
        &[Swap(NOTES_2, "enum NoteType", "NOTE_TYPE_SOAP = 1;", "NOTE_TYPE_SOAP = 1; NOTE_TYPE_LETTER = 9;")],
    ),
    (
        "a reason",
        &[Swap(
            AUTH_REASONS,
            "",
            "ERROR_REASON_SIGNING_FAILED = 11;",
            "ERROR_REASON_SIGNING_FAILED = 11; ERROR_REASON_NEW = 99;",
        )],
    ),
];

#[test]
fn what_breaks_nobody_is_not_found() {
    let old = Contract::new(&[]).pool();
    for (what, edits) in HARMLESS {
        let findings = check(&old, &Contract::new(edits).pool(), TODAY);
        assert!(findings.is_empty(), "{what}: {findings:#?}");
    }
}

#[test]
fn a_method_whose_sunset_is_past_may_go() {
    let old = Contract::new(&[]).pool();
    let gone = Contract::new(&[Edit::Cut(
        SPEECH_1,
        "rpc GetTranscriptionStatus(",
        "\n  }\n",
    )]);
    let findings = check(&old, &gone.pool(), "2027-11-01");
    // What is left of the service is there past its sunset.
    let ids: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
    assert_eq!(ids, ["SUNSET_PASSED"]);
}
