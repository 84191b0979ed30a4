//! `scribemed versions`, against metrics as servers render them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scribemed_telemetry::metrics::Metrics;

const METHOD: &str = "scribemed.transcription.v1.TranscriptionService/GetTranscription";

/// A replica whose metrics hold these calls. Returns its URL.
fn replica(calls: &[(&str, u64)]) -> String {
    let metrics = Metrics::new();
    let served = metrics.server().method(METHOD);
    for (caller, at) in calls {
        served.deprecated(caller, UNIX_EPOCH + Duration::from_secs(*at));
    }
    let text = metrics.render();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            let length = text.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        }
    });
    url
}

fn versions(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scribemed"))
        .arg("versions")
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn who_still_calls_an_old_version_is_shown_over_all_replicas() {
    let one = replica(&[("emr", 1_700_000_000), ("emr", 1_700_000_060)]);
    let two = replica(&[("emr", 1_600_000_000), ("-", 1_650_000_000)]);
    let output = versions(&["--metrics", &one, "--metrics", &two]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let of_method = text.split(METHOD).nth(1).unwrap();
    let lines: Vec<&str> = of_method.lines().map(str::trim).collect();
    assert!(lines[1].starts_with("deprecated on 20"), "{text}");
    assert!(
        lines[1].ends_with("use scribemed.transcription.v2.TranscriptionService"),
        "{text}"
    );
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(lines[2]), "emr 3 calls, last on 2023-11-14 22:14 UTC");
    assert_eq!(
        words(lines[3]),
        "(unknown) 1 calls, last on 2022-04-15 05:20 UTC"
    );
    assert!(text.contains("nobody called it"), "{text}");
    assert!(
        text.contains(&format!("counted by {one} since 20")),
        "{text}"
    );
}

#[test]
fn a_program_reads_it_and_learns_who_could_not_be_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/metrics", listener.local_addr().unwrap());
    drop(listener);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let one = replica(&[("emr", now)]);
    let output = versions(&["--json", "--metrics", &one, "--metrics", &nobody]);
    assert_eq!(output.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["not_asked"][0]["url"], *nobody);
    assert_eq!(said["replicas"][0]["url"], *one);
    let methods = said["methods"].as_array().unwrap();
    let method = methods.iter().find(|method| method["method"] == METHOD);
    let method = method.unwrap();
    assert!(method["days_left"].is_i64());
    assert_eq!(method["callers"][0]["caller"], "emr");
    assert_eq!(method["callers"][0]["calls"], 1.0);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&nobody), "{error}");
}
