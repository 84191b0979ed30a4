//! The id that one request keeps through every service.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue};
use uuid::Uuid;

use crate::metadata::X_REQUEST_ID;

/// The id of a request: a UUID, carried as `x-request-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new one: UUIDv7 (RFC 9562), so that ids sort by time. Without the counter that `Uuid::now_v7` keeps behind a lock of
    /// the whole process: ids of one millisecond need no order. The random bits are the thread's own generator's, which
    /// does not ask the system for each id.
    pub fn generate() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        // Milliseconds fit into 64 bits for longer than the 48 bits that the format has for them.
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let random: [u8; 10] = rand::random();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// That of `headers`. `None` if there is none, or none that is a UUID: an id goes into logs, so nothing else is taken.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(X_REQUEST_ID)?;
        Uuid::try_parse_ascii(value.as_bytes()).ok().map(Self)
    }

    /// As the value of `x-request-id`.
    pub fn header(self) -> HeaderValue {
        let mut text = Uuid::encode_buffer();
        let text = self.0.as_hyphenated().encode_lower(&mut text);
        // Hexadecimal and hyphens are always a valid value.
        HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
    }

    /// Writes it to `headers`.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(X_REQUEST_ID, self.header());
    }

    /// The id itself.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for RequestId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn is_carried_through_headers() {
        let id = RequestId::generate();
        let mut headers = HeaderMap::new();
        id.write(&mut headers);
        assert_eq!(RequestId::from_headers(&headers), Some(id));
        assert_eq!(headers[X_REQUEST_ID].to_str().unwrap(), id.to_string());
    }

    #[test]
    fn is_version_7() {
        let (a, b) = (RequestId::generate(), RequestId::generate());
        assert_eq!(a.as_uuid().get_version_num(), 7);
        assert_ne!(a, b);
    }

    #[test]
    fn takes_nothing_but_a_uuid() {
        for rubbish in ["", "1", "not-a-uuid", "0197-\u{7f}", "patient=Jane Doe"] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(rubbish.as_bytes()) {
                headers.insert(X_REQUEST_ID, value);
            }
            assert_eq!(RequestId::from_headers(&headers), None, "{rubbish}");
        }
    }
}
