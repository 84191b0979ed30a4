//! What a peer writes into headers and trailers.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use scribemed_resilience::pushback::Pushback;
use scribemed_rpc::metadata::{GRPC_RETRY_PUSHBACK_MS, GRPC_TIMEOUT, TRACESTATE};
use scribemed_rpc::{RequestId, TraceContext, format_timeout, parse_timeout, well_formed};

use tonic::metadata::{KeyAndValueRef, MetadataMap};

use crate::check_error;

/// The value of `grpc-timeout`.
pub fn grpc_timeout(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    // PROTOCOL-HTTP2: 1 to 8 digits, then the unit.
    let valid = match data {
        [digits @ .., unit] => {
            (1..=8).contains(&digits.len())
                && digits.iter().all(u8::is_ascii_digit)
                && b"HMSmun".contains(unit)
        }
        [] => false,
    };
    match parse_timeout(&value) {
        Ok(timeout) => {
            assert!(valid, "{value:?} is taken");
            // What is sent on is never less than what was meant, and at most one unit more.
            let written = parse_timeout(&format_timeout(timeout));
            assert!(
                written.as_ref().is_ok_and(|written| {
                    *written >= timeout && *written <= timeout + Duration::from_secs(3600)
                }),
                "{value:?} becomes {written:?}"
            );
        }
        Err(error) => {
            assert!(!valid, "{value:?} is refused");
            check_error(&error.to_string());
        }
    }
}

/// The values of `grpc-retry-pushback-ms`, one on each line.
pub fn pushback(data: &[u8]) {
    let mut trailers = HeaderMap::new();
    let lines: Vec<_> = data
        .split(|byte| *byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .take(8)
        .collect();
    for value in &lines {
        trailers.append(GRPC_RETRY_PUSHBACK_MS, value.clone());
    }
    match Pushback::read(&trailers) {
        Pushback::None => assert!(lines.is_empty()),
        Pushback::Stop => assert!(!lines.is_empty()),
        Pushback::After(wait) => {
            // One int32 in decimal, and nothing else.
            assert_eq!(lines, [wait.as_millis().to_string()]);
            assert!(i32::try_from(wait.as_millis()).is_ok(), "{lines:?}");
        }
    }
}

/// The headers of a request, `name: value` on each line: its id, its trace, and whether they are well-formed.
pub fn metadata(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(32) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        headers.append(name, value);
    }
    match well_formed(&headers) {
        // What is let through can be read by whoever reads it.
        Ok(()) => {
            assert!(headers.get_all(GRPC_TIMEOUT).iter().count() <= 1);
            let metadata = MetadataMap::from_headers(headers.clone());
            for entry in metadata.iter() {
                if let KeyAndValueRef::Binary(key, value) = entry
                    && !value.as_encoded_bytes().contains(&b',')
                {
                    assert!(value.to_bytes().is_ok(), "{key}: {value:?} is taken");
                }
            }
        }
        Err(error) => check_error(&error.to_string()),
    }
    if let Some(id) = RequestId::from_headers(&headers) {
        let mut sent = HeaderMap::new();
        id.write(&mut sent);
        assert_eq!(RequestId::from_headers(&sent), Some(id));
        // It goes into logs.
        assert_eq!(id.to_string().len(), 36, "{id}");
    }
    match TraceContext::from_headers(&headers) {
        Ok(None) => assert!(!headers.contains_key("traceparent")),
        Ok(Some(trace)) => {
            let mut sent = HeaderMap::new();
            trace.write(&mut sent);
            let read = TraceContext::from_headers(&sent);
            assert_eq!(read.as_ref(), Ok(&Some(trace.clone())));
            assert_eq!((trace.trace_id().len(), trace.span_id().len()), (32, 16));
            assert_eq!(trace.child().trace_id(), trace.trace_id());
            let state = sent.get(TRACESTATE).map_or(0, HeaderValue::len);
            assert!(state <= 512, "{state} bytes of tracestate are sent on");
        }
        Err(error) => check_error(&error.to_string()),
    }
}
