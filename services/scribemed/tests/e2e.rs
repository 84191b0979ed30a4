//! The platform as its users meet it: the program, real recordings of people, grpcurl, and SIGKILL.
//!
//! `cargo xtask test` provides what this needs: the speech model, Debian's pocketsphinx-testdata, grpcurl.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and prints what it measured"
)]

#[path = "e2e/audio.rs"]
mod audio;
#[path = "e2e/platform.rs"]
mod platform;

use std::io::{BufRead as _, BufReader};

use platform::{Platform, TRANSCRIPTION, grpcurl};

#[test]
fn a_newcomer_looks_around_with_grpcurl() {
    let platform = Platform::start();
    let transcription = platform.address("transcription");
    let listed = grpcurl(&["-plaintext", transcription, "list"]).ok();
    for service in [
        TRANSCRIPTION,
        "scribemed.transcription.v1.TranscriptionService",
        "grpc.health.v1.Health",
    ] {
        assert!(listed.contains(service), "{listed}");
    }
    let method = format!("{TRANSCRIPTION}.CreateTranscription");
    let described = grpcurl(&["-plaintext", transcription, "describe", &method]).ok();
    for option in [
        "scribemed.options.v1.method",
        "write:transcriptions",
        "IDEMPOTENT",
    ] {
        assert!(
            described.contains(option),
            "the policy options are not shown: {described}"
        );
    }

    let list = format!("{TRANSCRIPTION}/ListTranscriptions");
    let refused = grpcurl(&["-plaintext", transcription, &list]).err();
    assert!(
        refused.contains("Unauthenticated") && refused.contains("TOKEN_MISSING"),
        "{refused}"
    );
    let token = platform.token("read:transcriptions");
    let empty = platform.call("transcription", &token, &list, "{}").ok();
    assert_eq!(empty.trim(), "{}");
    let create = format!("{TRANSCRIPTION}/CreateTranscription");
    let request = r#"{"audio_uri": "https://169.254.169.254/latest/meta-data"}"#;
    let refused = platform
        .call("transcription", &token, &create, request)
        .err();
    assert!(
        refused.contains("PermissionDenied") && refused.contains("write:transcriptions"),
        "{refused}"
    );
    let token = platform.token("write:transcriptions");
    let refused = platform
        .call("transcription", &token, &create, request)
        .err();
    assert!(
        refused.contains("InvalidArgument") && refused.contains("audio_uri"),
        "{refused}"
    );
    assert!(refused.contains("AUDIO_URI_REFUSED"), "{refused}");
    for bad in ["", "x.y.z", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0."] {
        let refused = platform.call("transcription", bad, &list, "{}").err();
        assert!(refused.contains("Unauthenticated"), "{bad}: {refused}");
    }
    platform.stop();
}

#[test]
fn what_was_said_becomes_a_note() {
    let platform = Platform::start();
    let (mut errors, mut count) = (0, 0);
    for clip in audio::clips() {
        let made = platform.note(&clip.path, &["--json"]);
        let output = made.ok();
        let object: serde_json::Value = serde_json::from_str(&output).unwrap();
        let heard = object["transcription"]["text"].as_str().unwrap();
        errors += audio::word_errors(&clip.text, heard);
        count += u32::try_from(audio::words(&clip.text).len()).unwrap();
        assert_eq!(object["transcription"]["model"]["id"], "ggml-tiny.en");
        // Every word that was heard stands in the note, in sentences that name their segments.
        let sentences: Vec<&serde_json::Value> = object["note"]["sections"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|section| section["sentences"].as_array().unwrap())
            .collect();
        let noted: Vec<&str> = sentences
            .iter()
            .map(|s| s["text"].as_str().unwrap())
            .collect();
        let (mut noted, mut heard) = (audio::words(&noted.join(" ")), audio::words(heard));
        noted.sort();
        heard.sort();
        assert_eq!(noted, heard);
        assert!(
            sentences
                .iter()
                .all(|sentence| !sentence["sources"].as_array().unwrap().is_empty())
        );
        assert_eq!(object["note"]["state"], "NOTE_STATE_DRAFT");

        let log = platform.log();
        let request_id = made.request_id();
        for method in [
            "AuthService/ExchangeToken",
            "TranscriptionService/UploadTranscription",
            "DocumentationService/GenerateNote",
        ] {
            assert!(
                log.lines()
                    .any(|line| line.contains(&request_id) && line.contains(method)),
                "the log of {method} does not know the request {request_id}"
            );
        }
        // The job that drafted the note asked transcription under the same id.
        assert!(
            log.lines().any(|line| line.contains(&request_id)
                && line.contains("GetTranscription")
                && line.contains("\"caller\":\"documentation\"")),
            "the request id was lost between documentation and transcription"
        );
    }
    let rate = 100.0 * f64::from(errors) / f64::from(count);
    println!("word error rate: {errors} of {count} words, {rate:.1} %");
    println!("resident memory: {} MB", platform.resident_megabytes());
    assert!(rate <= 10.0, "word error rate {rate:.1} %");
    assert!(platform.resident_megabytes() < 500);
    let log = platform.log();
    assert!(
        !log.to_lowercase().contains("dashwood"),
        "what was said stands in the log"
    );
    platform.stop();
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_doubles_nothing() {
    let mut platform = Platform::start();
    let visit = audio::long_visit();
    for moment in ["uploading", "transcribing", "writing"] {
        let mut client = platform
            .note_command(visit.path(), &["--json"])
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut progress = BufReader::new(client.stderr.take().unwrap());
        while !said.contains(moment) {
            assert!(
                progress.read_line(&mut said).unwrap() > 0,
                "no note was begun: {said}"
            );
        }
        platform.kill();
        platform.restart();
        // The client waits for the platform to come back; what it asked for is done once.
        let rest = std::thread::spawn(move || std::io::read_to_string(progress).unwrap());
        let output = client.wait_with_output().unwrap();
        let rest = rest.join().unwrap();
        assert!(
            output.status.success(),
            "killed while {moment}: {said}{rest}"
        );
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = object["transcription"]["text"].as_str().unwrap();
        assert!(
            text.to_lowercase().contains("dashwood"),
            "killed while {moment}: {text}"
        );
    }
    for (service, method, permission) in [
        (
            "transcription",
            format!("{TRANSCRIPTION}/ListTranscriptions"),
            "read:transcriptions",
        ),
        (
            "documentation",
            "scribemed.documentation.v2.DocumentationService/ListNotes".to_owned(),
            "read:notes",
        ),
    ] {
        let token = platform.token(permission);
        let listed = platform.call(service, &token, &method, "{}").ok();
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let items = listed
            .as_object()
            .unwrap()
            .values()
            .find_map(|value| value.as_array())
            .unwrap();
        let states: Vec<&str> = items
            .iter()
            .map(|item| item["state"].as_str().unwrap())
            .collect();
        assert_eq!(items.len(), 3, "{service}: {states:?}");
        assert!(
            states
                .iter()
                .all(|state| state.ends_with("SUCCEEDED") || state.ends_with("DRAFT")),
            "{states:?}"
        );
    }
    platform.stop();
}

#[test]
fn a_bad_recording_is_refused_and_leaves_nothing_behind() {
    let platform = Platform::start();
    for (name, bytes, expect) in audio::bad_recordings() {
        let file = platform.folder().join(name);
        std::fs::write(&file, bytes).unwrap();
        let refused = platform.note(&file, &[]).err();
        for part in expect {
            assert!(refused.contains(part), "{name}: {refused}");
        }
    }
    let token = platform.token("read:transcriptions");
    let listed = platform
        .call(
            "transcription",
            &token,
            &format!("{TRANSCRIPTION}/ListTranscriptions"),
            "{}",
        )
        .ok();
    assert_eq!(listed.trim(), "{}", "something was left behind");
    platform.stop();
}

#[test]
fn without_a_model_nothing_is_invented() {
    let platform = Platform::start_with(&["--model", "/nonexistent/ggml-tiny.en.bin"]);
    let transcription = platform.address("transcription");
    let request = format!("{{\"service\": \"{TRANSCRIPTION}\"}}");
    let health = grpcurl(&[
        "-plaintext",
        "-d",
        &request,
        transcription,
        "grpc.health.v1.Health/Check",
    ])
    .ok();
    assert!(health.contains("NOT_SERVING"), "{health}");
    let refused = platform.note(&audio::clips()[0].path, &[]).err();
    for part in ["Unavailable", "NOT_SERVING", "cargo xtask model"] {
        assert!(refused.contains(part), "{refused}");
    }
    let checked = platform.doctor(&["--model", "/nonexistent/ggml-tiny.en.bin"]);
    assert!(checked.err().is_empty());
    platform.stop();
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let platform = Platform::start();
    let well = platform.doctor(&[]);
    assert!(well.ok().contains("Nothing is wrong"));
    let key = platform.folder().join("identity/documentation.pem");
    std::fs::remove_file(key).unwrap();
    let ill = platform.doctor(&[]);
    assert!(ill.failed().contains("the key of documentation") && ill.failed().contains("mend:"));
    platform.stop();
}
