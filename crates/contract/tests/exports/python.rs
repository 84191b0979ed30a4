//! What others make of the exports: grpcio, and a validator of OpenAPI.

use std::fs;
use std::path::{Path, PathBuf};

use scribemed_contract::reference::Reference;
use scribemed_contract::{openapi, service_config};
use tokio::process::Command;

use crate::peer::{Call, Peer, SILENCE};
use crate::support::{ours, reference, text, with_fields};

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/exports/python")
        .join(name)
}

/// Runs one of our scripts; what it printed, or what it complained of.
async fn python(name: &str, args: &[&str]) -> Result<String, String> {
    let python = std::env::var_os("SCRIBEMED_PYTHON").expect("SCRIBEMED_PYTHON names a Python");
    let output = Command::new(python)
        .arg(script(name))
        .args(args)
        .output()
        .await
        .unwrap();
    if output.status.success() {
        Ok(text(&output.stdout).trim().to_owned())
    } else {
        Err(text(&output.stderr))
    }
}

/// Calls `path` of the service found as `name` with grpcio. How it ended, and what the server saw.
async fn call(name: &str, path: &str, script: &[u16]) -> (String, Vec<Call>, Vec<String>) {
    call_with(&ours(), name, path, script).await
}

async fn call_with(
    contract: &Reference,
    name: &str,
    path: &str,
    script: &[u16],
) -> (String, Vec<Call>, Vec<String>) {
    let peer = Peer::start(script).await;
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.json");
    let json = service_config::of(contract, name).unwrap().json.pretty();
    fs::write(&config, json).unwrap();
    let args = [&peer.address, config.to_str().unwrap(), path];
    let ended = python("call.py", &args).await.unwrap();
    (ended, peer.calls(), peer.watched())
}

const UNAVAILABLE: u16 = 14;
const NOT_FOUND: u16 = 5;
const GET: &str = "/scribemed.transcription.v2.TranscriptionService/GetTranscription";

#[tokio::test]
#[ignore = "needs a Python with grpcio, named by SCRIBEMED_PYTHON: `cargo xtask test` runs it"]
async fn grpcio_retries_as_the_contract_says() {
    let (ended, calls, watched) = call("transcription", GET, &[UNAVAILABLE, UNAVAILABLE, 0]).await;
    assert_eq!(ended, "OK");
    let previous: Vec<_> = calls.iter().map(|call| call.previous).collect();
    assert_eq!(previous, [None, Some(1), Some(2)]);
    assert!(calls.iter().all(|call| call.path == GET));
    // Two services are behind the name, so the health of the server as a whole is watched.
    assert_eq!(watched, [""]);
}

#[tokio::test]
#[ignore = "needs a Python with grpcio, named by SCRIBEMED_PYTHON: `cargo xtask test` runs it"]
async fn grpcio_gives_up_after_the_attempts_of_the_contract() {
    let (ended, calls, _) = call("transcription", GET, &[UNAVAILABLE]).await;
    assert_eq!((ended.as_str(), calls.len()), ("UNAVAILABLE", 3));
    // Two attempts, in the other service.
    let path = "/scribemed.documentation.v2.DocumentationService/GetNote";
    let (ended, calls, _) = call("documentation", path, &[UNAVAILABLE]).await;
    assert_eq!((ended.as_str(), calls.len()), ("UNAVAILABLE", 2));
}

#[tokio::test]
#[ignore = "needs a Python with grpcio, named by SCRIBEMED_PYTHON: `cargo xtask test` runs it"]
async fn grpcio_sends_once_what_must_not_be_sent_twice() {
    let path = "/scribemed.transcription.v1.TranscriptionService/CreateTranscription";
    let (ended, calls, _) = call("transcription", path, &[UNAVAILABLE, 0]).await;
    assert_eq!((ended.as_str(), calls.len()), ("UNAVAILABLE", 1));
    // An error that is worth no second attempt.
    let (ended, calls, _) = call("transcription", GET, &[NOT_FOUND, 0]).await;
    assert_eq!((ended.as_str(), calls.len()), ("NOT_FOUND", 1));
}

#[tokio::test]
#[ignore = "needs a Python with grpcio, named by SCRIBEMED_PYTHON: `cargo xtask test` runs it"]
async fn grpcio_watches_the_health_of_the_only_service() {
    let path = "/scribemed.auth.v1.AuthService/GetKeySet";
    let (ended, calls, watched) = call("auth", path, &[0]).await;
    assert_eq!((ended.as_str(), calls.len()), ("OK", 1));
    assert_eq!(watched, ["scribemed.auth.v1.AuthService"]);
}

#[tokio::test]
#[ignore = "needs a Python with grpcio, named by SCRIBEMED_PYTHON: `cargo xtask test` runs it"]
async fn grpcio_ends_a_call_in_the_time_of_the_contract() {
    let text = with_fields("").replace("timeout: {seconds: 1}", "timeout: {seconds: 2}");
    let (ended, calls, _) =
        call_with(&reference(&text), "inn", "/inn.v1.Inn/Rest", &[SILENCE]).await;
    assert_eq!((ended.as_str(), calls.len()), ("DEADLINE_EXCEEDED", 1));
}

#[tokio::test]
#[ignore = "needs a Python with openapi-spec-validator, named by SCRIBEMED_PYTHON: `cargo xtask test` runs it"]
async fn the_openapi_document_is_valid_and_so_are_its_examples() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("openapi.json");
    let json = openapi::of(&ours()).unwrap().pretty();
    let check = |json: String| {
        fs::write(&path, json).unwrap();
        let path = path.to_str().unwrap().to_owned();
        async move { python("openapi.py", &[&path]).await }
    };
    let count: u32 = check(json.clone()).await.unwrap().parse().unwrap();
    assert!(count >= 8, "{count}");
    // The checks can fail: a document that is none, and an example that breaks its rules.
    let error = check(json.replacen("\"responses\"", "\"answers\"", 1))
        .await
        .unwrap_err();
    assert!(error.contains("answers"), "{error}");
    let broken = json.replace("0197c9a2-4d5e-7b3a-9c41-5f2e8d6a7b10", "no id");
    let error = check(broken).await.unwrap_err();
    assert!(error.contains("is not a 'uuid'"), "{error}");
}
