//! One mutation of the contract for each rule: it is found, at its element, and nothing else is.

use std::collections::BTreeSet;

use scribemed_contract::check::{check, rule};

use crate::contract::{AUTH, AUTH_REASONS, Contract, Edit, NOTES_2, SPEECH_1, SPEECH_2, TODAY};
use Edit::{Cut, Swap};

struct Mutation {
    rule: &'static str,
    element: &'static str,
    /// What the old contract has that today's has not.
    old: &'static [Edit],
    new: &'static [Edit],
    today: &'static str,
}

const fn mutation(rule: &'static str, element: &'static str, new: &'static [Edit]) -> Mutation {
    Mutation {
        rule,
        element,
        old: &[],
        new,
        today: TODAY,
    }
}

const AUTH_SERVICE: &str = "scribemed.auth.v1.AuthService";
const SPEECH_SERVICE: &str = "scribemed.transcription.v1.TranscriptionService";

const MUTATIONS: &[Mutation] = &[
    mutation(
        "PERMISSION_ADDED",
        "scribemed.auth.v1.AuthService.RotateKeys",
        &[Swap(AUTH, "rpc RotateKeys(", "[\"rotate:keys\"]", "[\"rotate:keys\", \"read:keys\"]")],
    ),
    mutation(
        "PERMISSION_RENAMED",
        "scribemed.documentation.v2.DocumentationService.SignNote",
        &[Swap(NOTES_2, "rpc SignNote(", "sign:notes", "approve:notes")],
    ),
    mutation(
        "PUBLIC_CLOSED",
        "scribemed.auth.v1.AuthService.GetKeySet",
        &[Swap(AUTH, "rpc GetKeySet(", "public: true", "permissions: [\"read:keys\"]")],
    ),
    mutation(
        "TIMEOUT_SHORTENED",
        "scribemed.transcription.v2.TranscriptionService.UploadTranscription",
        &[Swap(SPEECH_2, "rpc UploadTranscription(", "seconds: 120", "seconds: 90")],
    ),
    mutation(
        "IDEMPOTENCY_CHANGED",
        "scribemed.transcription.v2.TranscriptionService.GetTranscription",
        &[Swap(SPEECH_2, "rpc GetTranscription(", "NO_SIDE_EFFECTS", "IDEMPOTENT")],
    ),
    mutation(
        "RETRY_WITHOUT_IDEMPOTENCY",
        "scribemed.transcription.v1.TranscriptionService.CreateTranscription",
        &[Swap(SPEECH_1, "rpc CreateTranscription(", "max_attempts: 1", "max_attempts: 3")],
    ),
    mutation(
        "HEDGING_WITHOUT_IDEMPOTENCY",
        "scribemed.transcription.v1.TranscriptionService.CreateTranscription",
        &[Swap(
            SPEECH_1,
            "rpc CreateTranscription(",
            "retry_policy: {max_attempts: 1}",
            "hedging_policy: {max_attempts: 2}",
        )],
    ),
    mutation(
        "REQUEST_LIMIT_LOWERED",
        "scribemed.transcription.v2.TranscriptionService.CreateTranscription",
        &[Swap(SPEECH_2, "rpc CreateTranscription(", "max_request_bytes: 26279936", "max_request_bytes: 1048576")],
    ),
    mutation(
        "RESPONSE_LIMIT_RAISED",
        "scribemed.transcription.v2.TranscriptionService.GetTranscription",
        &[Swap(SPEECH_2, "rpc GetTranscription(", "16777216", "33554432")],
    ),
    mutation(
        "RESPONSE_LIMIT_LOWERED",
        "scribemed.transcription.v2.TranscriptionService.GetTranscription",
        &[Swap(SPEECH_2, "rpc GetTranscription(", "16777216", "8388608")],
    ),
    mutation(
        "CRITICALITY_LOWERED",
        "scribemed.auth.v1.AuthService.RotateKeys",
        &[Swap(
            AUTH,
            "rpc RotateKeys(",
            "permissions: [",
            "criticality: CRITICALITY_SHEDDABLE permissions: [",
        )],
    ),
    mutation(
        "DISCOVERY_NAME_CHANGED",
        AUTH_SERVICE,
        &[Swap(AUTH, "service AuthService", "discovery_name: \"auth\"", "discovery_name: \"identity\"")],
    ),
    mutation(
        "HTTP_BINDING_CHANGED",
        "scribemed.documentation.v2.DocumentationService.SignNote",
        &[Swap(NOTES_2, "rpc SignNote(", "{note_id}:sign", "{note_id}:approve")],
    ),
    mutation(
        "HTTP_BINDING_REMOVED",
        "scribemed.documentation.v2.DocumentationService.GetNote",
        &[Cut(NOTES_2, "option (google.api.http) = {get: \"/v2/notes/{note_id}\"}", ";")],
    ),
    mutation(
        "BORN_DEPRECATED",
        "scribemed.auth.v1.AuthService.ListKeys",
        &[Swap(
            AUTH,
            "",
            "// The public keys that verify",
            "rpc ListKeys(GetKeySetRequest) returns (GetKeySetResponse) {
               option deprecated = true;
               option (scribemed.options.v1.method) = {public: true retry_policy: {max_attempts: 1} lifecycle: {
                 deprecated_on: \"2026-11-01\" sunset_on: \"2027-11-01\"
                 successor: \"scribemed.auth.v1.AuthService.GetKeySet\"
               }};
             }
             //",
        )],
    ),
    mutation(
        "DEPRECATION_WITHDRAWN",
        SPEECH_SERVICE,
        &[Cut(SPEECH_1, "option deprecated = true", ";")],
    ),
    mutation(
        "DEPRECATION_WITHOUT_SUNSET",
        SPEECH_SERVICE,
        &[Cut(SPEECH_1, "sunset_on:", "\n")],
    ),
    mutation(
        "DEPRECATION_WITHOUT_SUCCESSOR",
        SPEECH_SERVICE,
        &[Cut(SPEECH_1, "successor:", "\n")],
    ),
    mutation(
        "SUCCESSOR_UNRESOLVED",
        SPEECH_SERVICE,
        &[Swap(SPEECH_1, "successor:", "v2.TranscriptionService", "v3.TranscriptionService")],
    ),
    mutation(
        "SUNSET_BROUGHT_FORWARD",
        SPEECH_SERVICE,
        &[Swap(SPEECH_1, "sunset_on:", "2027-11-01", "2027-06-01")],
    ),
    Mutation {
        rule: "SUNSET_PASSED",
        element: SPEECH_SERVICE,
        old: &[],
        new: &[],
        today: "2027-11-01",
    },
    mutation(
        "REMOVED_BEFORE_SUNSET",
        "scribemed.transcription.v1.TranscriptionService.GetTranscriptionStatus",
        &[Cut(SPEECH_1, "rpc GetTranscriptionStatus(", "\n  }\n")],
    ),
    mutation(
        "REMOVED_UNANNOUNCED",
        "scribemed.documentation.v2.DocumentationService.SignNote",
        &[Cut(NOTES_2, "rpc SignNote(", "\n  }\n")],
    ),
    mutation(
        "REQUEST_RULE_TIGHTENED",
        "scribemed.transcription.v1.CreateTranscriptionRequest.audio_url",
        &[Swap(SPEECH_1, "message CreateTranscriptionRequest", "max_len = 2048", "max_len = 1024")],
    ),
    Mutation {
        rule: "RESPONSE_RULE_LOOSENED",
        element: "scribemed.transcription.v1.CreateTranscriptionResponse.job_id",
        old: &[Swap(
            SPEECH_1,
            "message CreateTranscriptionResponse",
            "job_id = 1;",
            "job_id = 1 [(buf.validate.field).string.uuid = true];",
        )],
        new: &[],
        today: TODAY,
    },
    mutation(
        "RULE_NOT_COMPARABLE",
        "scribemed.auth.v1.ExchangeTokenRequest.audience",
        &[Swap(AUTH, "string audience", "[a-z0-9-]*", "[a-z0-9_-]*")],
    ),
    mutation(
        "REQUIRED_FIELD_ADDED",
        "scribemed.documentation.v2.GetNoteRequest.view",
        &[Swap(
            NOTES_2,
            "",
            "message GetNoteRequest {",
            "message GetNoteRequest {\n  string view = 99 [(buf.validate.field).required = true];",
        )],
    ),
    mutation(
        "FIELD_BEHAVIOR_TIGHTENED",
        "scribemed.auth.v1.RotateKeysRequest.request_id",
        &[Swap(AUTH, "message RotateKeysRequest", "OPTIONAL", "REQUIRED")],
    ),
    mutation(
        "ERROR_REASON_REMOVED",
        "scribemed.auth.v1.ERROR_REASON_SIGNING_FAILED",
        &[Cut(AUTH_REASONS, "ERROR_REASON_SIGNING_FAILED", ";")],
    ),
    mutation(
        "ERROR_REASON_RENAMED",
        "scribemed.auth.v1.ERROR_REASON_SIGNING_FAILED",
        &[Swap(AUTH_REASONS, "", "ERROR_REASON_SIGNING_FAILED", "ERROR_REASON_NOT_SIGNED")],
    ),
    mutation(
        "IMPORTS_OTHER_VERSION",
        "scribemed.transcription.v2",
        &[Swap(
            SPEECH_2,
            "",
            "import \"buf/validate",
            "import \"scribemed/transcription/v1/transcription.proto\";\nimport \"buf/validate",
        )],
    ),
];

#[test]
fn each_mutation_is_found_and_nothing_else() {
    let today = Contract::new(&[]).pool();
    let mut wrong = Vec::new();
    for mutation in MUTATIONS {
        let old = match mutation.old {
            [] => today.clone(),
            edits => Contract::new(edits).pool(),
        };
        let new = Contract::new(mutation.new);
        let findings = check(&old, &new.pool(), mutation.today);
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.rule.id, finding.element.as_str()))
            .collect();
        if found != [(mutation.rule, mutation.element)] {
            wrong.push(format!("{}: {findings:#?}", mutation.rule));
            continue;
        }
        let finding = &findings[0];
        assert!(!finding.reason.is_empty(), "{}", mutation.rule);
        if let Some(line) = finding.place.line {
            let line = new.line(&finding.place.file, line);
            let name = mutation.element.rsplit('.').next().unwrap();
            // The place of what is gone, or has another name, is what holds it.
            let is_there = line.contains(name) || mutation.rule.starts_with("ERROR_REASON");
            assert!(
                is_there || line.contains("import"),
                "{}: {line}",
                mutation.rule
            );
        } else {
            assert!(mutation.rule.starts_with("REMOVED"), "{}", mutation.rule);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_has_a_mutation() {
    let mutated: BTreeSet<&str> = MUTATIONS.iter().map(|mutation| mutation.rule).collect();
    let mut all: BTreeSet<&str> = rule::ALL.iter().map(|rule| rule.id).collect();
    assert_eq!(all.len(), rule::ALL.len(), "an id is there twice");
    // Of the file of allowances, not of the contract: `allow.rs` tests it.
    assert!(all.remove(rule::ALLOWANCE_STALE.id));
    assert_eq!(mutated, all);
}
