//! Page tokens: where a list goes on.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::Error;
use crate::transcription::{State, Transcription};

/// The page size when the caller leaves it open.
const DEFAULT_SIZE: u16 = 50;
/// The largest page; a larger wish counts as this (AIP-158).
const MAX_SIZE: u16 = 200;

/// The size of the page that a caller asking for `asked` gets.
pub(crate) fn size(asked: i32) -> u16 {
    match u16::try_from(asked.max(0)) {
        Ok(0) => DEFAULT_SIZE,
        Ok(asked) => asked.min(MAX_SIZE),
        Err(_) => MAX_SIZE,
    }
}

/// The last transcription of a page. The next page begins behind it, however many were stored meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) created_at: i64,
    pub(super) id: Uuid,
}

impl Cursor {
    /// Before the newest one.
    pub(super) const START: Self = Self {
        created_at: i64::MAX,
        id: Uuid::max(),
    };

    pub(super) fn of(last: &Transcription) -> Self {
        Self {
            created_at: last.created_at,
            id: last.id,
        }
    }

    /// The cursor and a digest of the filter, in hexadecimal.
    pub(super) fn encode(self, filter: Option<State>) -> String {
        let mut token = String::with_capacity(64);
        let created_at = self.created_at.to_be_bytes();
        for byte in created_at
            .iter()
            .chain(self.id.as_bytes())
            .chain(&digest(filter))
        {
            // Writing to a string cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        token
    }

    /// The place that a token names; the empty one names the start.
    pub(super) fn decode(token: &str, filter: Option<State>) -> Result<Self, Error> {
        if token.is_empty() {
            return Ok(Self::START);
        }
        let bytes = from_hex(token).ok_or(Error::PageToken)?;
        let (created_at, rest) = bytes.split_first_chunk().ok_or(Error::PageToken)?;
        let (id, rest) = rest.split_first_chunk().ok_or(Error::PageToken)?;
        if rest != digest(filter) {
            return Err(Error::PageToken);
        }
        Ok(Self {
            created_at: i64::from_be_bytes(*created_at),
            id: Uuid::from_bytes(*id),
        })
    }
}

/// Tells one filter from another, so that a token is not used with a filter that it was not made for.
fn digest(filter: Option<State>) -> [u8; 8] {
    let hash = Sha256::digest(format!(
        "transcriptions by state {}",
        filter.map_or("*", State::as_str)
    ));
    let mut short = [0; 8];
    short.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    short
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes_are_coerced() {
        let check = |asked, expect| assert_eq!(size(asked), expect, "{asked}");
        check(0, 50);
        check(1, 1);
        check(200, 200);
        check(201, 200);
        check(70_000, 200);
        check(i32::MAX, 200);
    }

    #[test]
    fn a_token_fits_its_own_filter_only() {
        let cursor = Cursor {
            created_at: 5,
            id: Uuid::from_u128(7),
        };
        let token = cursor.encode(None);
        assert_eq!(Cursor::decode(&token, None).ok(), Some(cursor));
        for other in [Some(State::Queued), Some(State::Failed)] {
            let found = Cursor::decode(&token, other);
            assert!(matches!(found, Err(Error::PageToken)));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "0",
            "zz",
            "\u{e9}\u{e9}",
            &"00".repeat(31),
            &"00".repeat(32),
            &"00".repeat(33),
        ] {
            let found = Cursor::decode(text, None);
            assert!(matches!(found, Err(Error::PageToken)), "{text}");
        }
    }
}
