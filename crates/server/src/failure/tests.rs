#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io;
use std::sync::{Arc, Mutex};

use http::HeaderValue;
use tracing::Level;

use super::*;

const DOMAIN: &str = "road.scribemed";

/// What a caller reads of `headers` once they are complete.
fn completed(headers: &mut HeaderMap) -> (Status, CallContext) {
    let context = CallContext::background();
    let code = complete(headers, DOMAIN, &context);
    let status = Status::from_header_map(headers).unwrap();
    assert_eq!(status.code(), code);
    assert_eq!(headers.get_all(metadata::GRPC_STATUS).iter().count(), 1);
    (status, context)
}

#[test]
fn an_error_without_details_gets_them() {
    let (status, context) = completed(&mut trailers(&Status::aborted("busy")));
    assert_eq!((status.code(), status.message()), (Code::Aborted, "busy"));
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((&*info.reason, &*info.domain), ("UNSPECIFIED", DOMAIN));
    let request = details.request_info().unwrap();
    assert_eq!(request.request_id, context.request_id().to_string());
}

#[test]
fn what_a_handler_says_stays_as_it_is() {
    let said = Fault::new(Code::NotFound, "BED_GONE", "inn.scribemed", "gone")
        .field("bed", "must be one of ours")
        .into_status();
    let mut headers = trailers(&said);
    headers.insert("x-own", HeaderValue::from_static("7"));
    let (status, context) = completed(&mut headers);
    assert_eq!((status.code(), status.message()), (Code::NotFound, "gone"));
    assert_eq!(status.metadata().get("x-own").unwrap(), "7");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(
        (&*info.reason, &*info.domain),
        ("BED_GONE", "inn.scribemed")
    );
    assert!(details.bad_request().is_some());
    let request = details.request_info().unwrap();
    assert_eq!(request.request_id, context.request_id().to_string());
    // Once is enough.
    let before = status.details().len();
    complete(&mut headers, DOMAIN, &context);
    let again = Status::from_header_map(&headers).unwrap();
    assert_eq!(again.details().len(), before);
}

#[test]
fn details_that_are_no_base64_are_replaced() {
    let mut headers = trailers(&Status::aborted("busy"));
    headers.insert(
        metadata::GRPC_STATUS_DETAILS,
        HeaderValue::from_static("!!!"),
    );
    let (status, _) = completed(&mut headers);
    assert!(status.get_details_error_info().is_some());
}

#[test]
fn of_a_failure_elsewhere_nothing_is_passed_on() {
    let mut said = Fault::new(Code::NotFound, "ADA_UNKNOWN", "inn.scribemed", "no Ada")
        .metadata("guest", "Ada")
        .into_status();
    let map = said.metadata_mut();
    map.insert("x-call-service", "inn".parse().unwrap());
    map.insert("x-call-target", "dns:///ada:1".parse().unwrap());
    map.insert("x-guest", "Ada".parse().unwrap());
    map.insert("grpc-retry-pushback-ms", "10".parse().unwrap());
    let mut headers = trailers(&said);
    let content_type = HeaderValue::from_static("application/grpc");
    headers.insert(http::header::CONTENT_TYPE, content_type.clone());
    let (status, context) = completed(&mut headers);

    let left = status.metadata().clone().into_headers();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[http::header::CONTENT_TYPE], content_type);
    let bytes = String::from_utf8_lossy(status.details());
    assert!(!bytes.contains("Ada") && !bytes.contains("ADA"), "{bytes}");
    assert_eq!(status.code(), Code::Internal);
    let id = context.request_id().to_string();
    assert!(status.message().starts_with("inn, ") && status.message().contains(&id));
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((&*info.reason, &*info.domain), ("UPSTREAM_FAILED", DOMAIN));
    assert_eq!(info.metadata["service"], "inn");
    assert_eq!(details.request_info().unwrap().request_id, id);
}

#[test]
fn a_reason_for_the_log_is_a_constant() {
    for (text, expect) in [
        ("NOTE_NOT_FOUND", true),
        ("A1", true),
        ("Ada was here", false),
        ("ada", false),
        (&"A".repeat(64), false),
    ] {
        assert_eq!(is_reason(text), expect, "{text}");
    }
}

/// Lines of a log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged at `level` of a failure elsewhere that has this reason and is about Ada.
fn logged(level: Level, reason: &'static str) -> String {
    let mut said = Fault::new(Code::NotFound, reason, "inn.scribemed", "Ada is gone")
        .metadata("guest", "Ada")
        .into_status();
    for (key, value) in [
        ("x-call-service", "inn"),
        ("x-call-endpoint", "10.0.0.7:1"),
        ("x-call-last-failure", "Unavailable: Ada is asleep"),
        ("x-guest", "Ada"),
    ] {
        said.metadata_mut().insert(key, value.parse().unwrap());
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || completed(&mut trailers(&said)));
    let bytes = lines.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn its_words_are_in_no_log_but_that_of_whoever_asks_for_more() {
    let info = logged(Level::INFO, "BED_GONE");
    for part in ["WARN", "\"inn\"", "NotFound", "\"BED_GONE\"", "10.0.0.7:1"] {
        assert!(info.contains(part), "{part} is not in {info}");
    }
    assert!(!info.contains("Ada"), "{info}");
    let odd = logged(Level::INFO, "Ada was here");
    assert!(odd.contains("\"inn\"") && !odd.contains("Ada"), "{odd}");
    let debug = logged(Level::DEBUG, "BED_GONE");
    assert!(
        debug.contains("Ada is gone") && debug.contains("asleep"),
        "{debug}"
    );
}
