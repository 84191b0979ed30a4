//! W3C Trace Context: which trace a call belongs to, and which span called (<https://www.w3.org/TR/trace-context/>).

use std::fmt;

use http::{HeaderMap, HeaderValue};

use crate::metadata::{TRACEPARENT, TRACESTATE};

/// The trace, the current span, the flags, and the vendors' `tracestate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    /// The span that this one was made from.
    parent: Option<u64>,
    flags: u8,
    state: Option<HeaderValue>,
}

/// A `traceparent` that breaks section 3.2 of the recommendation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedTraceparent;

impl fmt::Display for MalformedTraceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("traceparent is malformed; it must be 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")
    }
}

impl std::error::Error for MalformedTraceparent {}

impl TraceContext {
    /// A new, sampled trace.
    pub fn root() -> Self {
        Self {
            trace_id: nonzero_u128(),
            span_id: nonzero_u64(),
            parent: None,
            flags: SAMPLED,
            state: None,
        }
    }

    /// A new span in the same trace: what a callee is given, or what a server makes of its caller's.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: nonzero_u64(),
            parent: Some(self.span_id),
            ..self.clone()
        }
    }

    /// That of the caller. `Ok(None)` where there is none.
    ///
    /// # Errors
    /// [`MalformedTraceparent`]; the recommendation (section 4.3) has the receiver begin a new trace then.
    pub fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, MalformedTraceparent> {
        let Some(value) = headers.get(TRACEPARENT) else {
            return Ok(None);
        };
        let text = value.as_bytes();
        // 00-<32>-<16>-<2>, and more of it in a later version.
        let (fixed, more) = text.split_at_checked(LENGTH).ok_or(MalformedTraceparent)?;
        let hyphens = [2, 35, 52].into_iter().all(|at| fixed[at] == b'-');
        let version = hex(&fixed[..2])?;
        let (trace_id, span_id) = (hex(&fixed[3..35])?, hex(&fixed[36..52])?);
        let flags = hex(&fixed[53..])?;
        // A version above 0 may append fields; version 0 may not, and ff is forbidden.
        let more_is_allowed = more.is_empty() || (version != 0 && more[0] == b'-');
        if !hyphens || !more_is_allowed || version == 0xff || trace_id == 0 || span_id == 0 {
            return Err(MalformedTraceparent);
        }
        Ok(Some(Self {
            trace_id,
            span_id: u64::try_from(span_id).map_err(|_| MalformedTraceparent)?,
            parent: None,
            flags: u8::try_from(flags).map_err(|_| MalformedTraceparent)?,
            state: headers
                .get(TRACESTATE)
                .filter(|state| state.len() <= 512)
                .cloned(),
        }))
    }

    /// Writes it to `headers`.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert(TRACEPARENT, self.header());
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }

    /// The same, to be recorded or not (section 3.2.2.5.1: the sampled flag).
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.flags = if sampled {
            self.flags | SAMPLED
        } else {
            self.flags & !SAMPLED
        };
        self
    }

    /// Whether it may be recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The span that this one was made from; `None` of one that was made here from nothing, and of what a caller sent.
    pub fn parent_span_id(&self) -> Option<u64> {
        self.parent
    }

    /// As the value of `traceparent`.
    pub fn header(&self) -> HeaderValue {
        // Hexadecimal and hyphens are always a valid value.
        HeaderValue::from_bytes(&self.text()).unwrap_or(HeaderValue::from_static(""))
    }

    /// The vendors' `tracestate`.
    pub fn state(&self) -> Option<&HeaderValue> {
        self.state.as_ref()
    }

    fn text(&self) -> [u8; LENGTH] {
        let mut text = [b'-'; LENGTH];
        put_hex(&mut text[..2], 0);
        put_hex(&mut text[3..35], self.trace_id);
        put_hex(&mut text[36..52], self.span_id.into());
        put_hex(&mut text[53..], self.flags.into());
        text
    }

    /// The trace, as a number; never 0.
    pub fn trace_id_value(&self) -> u128 {
        self.trace_id
    }

    /// The current span, as a number; never 0.
    pub fn span_id_value(&self) -> u64 {
        self.span_id
    }

    /// The trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The current span: 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        format!("{:016x}", self.span_id)
    }
}

/// As `traceparent` has it.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

/// The length of a `traceparent` of version 00.
const LENGTH: usize = 55;

/// Lower-case hexadecimal digits, at most 32.
fn hex(digits: &[u8]) -> Result<u128, MalformedTraceparent> {
    digits.iter().try_fold(0, |sum, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return Err(MalformedTraceparent),
        };
        Ok(sum << 4 | u128::from(digit))
    })
}

/// Fills `out` with the last digits of `value`.
fn put_hex(out: &mut [u8], value: u128) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = value.to_be_bytes();
    let from = bytes.len() - out.len() / 2;
    for (pair, byte) in out.chunks_exact_mut(2).zip(&bytes[from..]) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
}

/// Zero is no id. It comes once in 2^64.
fn nonzero_u64() -> u64 {
    rand::random::<u64>().max(1)
}

fn nonzero_u128() -> u128 {
    rand::random::<u128>().max(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn parse(text: &str) -> Result<Option<TraceContext>, MalformedTraceparent> {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_str(text).unwrap());
        TraceContext::from_headers(&headers)
    }

    #[test]
    fn is_carried_through_headers() {
        let mut headers = HeaderMap::new();
        headers.insert(TRACESTATE, HeaderValue::from_static("vendor=1"));
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert(TRACEPARENT, HeaderValue::from_static(text));
        let context = TraceContext::from_headers(&headers).unwrap().unwrap();
        assert_eq!(context.to_string(), text);
        let mut same = HeaderMap::new();
        context.write(&mut same);
        assert_eq!(same[TRACEPARENT], text);
        let mut sent = HeaderMap::new();
        context.child().write(&mut sent);
        let child = TraceContext::from_headers(&sent).unwrap().unwrap();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child.span_id(), context.span_id());
        assert_eq!(context.parent_span_id(), None);
        let made = context.child();
        assert_eq!(made.parent_span_id(), Some(context.span_id_value()));
        let unsampled = made.with_sampled(false);
        assert!(context.is_sampled() && !unsampled.is_sampled());
        assert!(unsampled.to_string().ends_with("-00"));
        assert!(unsampled.with_sampled(true).to_string().ends_with("-01"));
        assert_eq!(sent[TRACESTATE], "vendor=1");
    }

    #[test]
    fn takes_later_versions_and_refuses_rubbish() {
        assert!(
            parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes")
                .unwrap()
                .is_some()
        );
        for text in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        ] {
            assert_eq!(parse(text), Err(MalformedTraceparent), "{text}");
        }
    }
}
