//! What buf is told to overlook: what is past its sunset, or may go by name.

use std::fs;

use scribemed_contract::check::allow::Allowed;
use scribemed_contract::check::buf;

use crate::contract::{Contract, Edit, SPEECH_1, TODAY};

const AFTER: &str = "2027-11-01";
const STATUS: &str = "scribemed.transcription.v1.TranscriptionService.GetTranscriptionStatus";
/// Without what is overlooked.
const PLAIN: &str =
    r#"{"version":"v2","breaking":{"use":["FILE"],"ignore":["buf","google","grpc"]}}"#;
const WITHOUT_STATUS: Edit = Edit::Cut(SPEECH_1, "rpc GetTranscriptionStatus(", "\n  }\n");

/// Its only file is left out.
fn without_speech_1() -> Contract {
    Contract::without(SPEECH_1)
}

fn config(new: &Contract, today: &str, allowed: &Allowed) -> String {
    let old = Contract::new(&[]).pool();
    buf::config(&old, &new.pool(), today, allowed).compact()
}

#[test]
fn nothing_is_overlooked_where_nothing_is_gone_or_its_sunset_is_to_come() {
    for new in [
        Contract::new(&[]),
        Contract::new(&[WITHOUT_STATUS]),
        without_speech_1(),
    ] {
        assert_eq!(config(&new, TODAY, &Allowed::default()), PLAIN);
    }
}

#[test]
fn a_package_that_is_gone_after_its_sunset_is_overlooked_whole() {
    let expect = r#"{"version":"v2","breaking":{"use":["FILE"],"ignore":["buf","google","grpc","scribemed/transcription/v1/transcription.proto"],"ignore_only":{"SERVICE_NO_DELETE":["scribemed/transcription/v1/transcription.proto"]}}}"#;
    assert_eq!(
        config(&without_speech_1(), AFTER, &Allowed::default()),
        expect
    );
}

#[test]
fn a_method_that_is_gone_after_its_sunset_or_by_name_is_left_to_the_check() {
    let expect = r#"{"version":"v2","breaking":{"use":["FILE"],"ignore":["buf","google","grpc"],"ignore_only":{"RPC_NO_DELETE":["scribemed/transcription/v1/transcription.proto"]}}}"#;
    let gone = Contract::new(&[WITHOUT_STATUS]);
    assert_eq!(config(&gone, AFTER, &Allowed::default()), expect);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("allowed.toml");
    let entry = format!(
        "[[allow]]\nrule = \"REMOVED_BEFORE_SUNSET\"\nelement = \"{STATUS}\"\nreason = \"unused\"\n"
    );
    fs::write(&path, entry).unwrap();
    assert_eq!(config(&gone, TODAY, &Allowed::read(&path).unwrap()), expect);
}
