//! Page tokens: where a list goes on.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Error;
use super::notes::Filter;
use crate::note::Note;
use crate::time::Timestamp;

/// The page size when the caller leaves it open.
pub const DEFAULT_PAGE_SIZE: u32 = 50;
/// The largest page; a larger wish counts as this (AIP-158).
pub const MAX_PAGE_SIZE: u32 = 200;

/// Says where the next page begins. Opaque to callers, who send back what they got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// A token as a caller sent it. Whether it is one shows when it is used.
    pub fn from_wire(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The size of the page that a caller asking for `asked` gets.
pub(super) fn page_size(asked: u32) -> u32 {
    if asked == 0 {
        DEFAULT_PAGE_SIZE
    } else {
        asked.min(MAX_PAGE_SIZE)
    }
}

/// The last note of a page. The next page begins behind it, however many notes have been stored meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) created_at: Timestamp,
    pub(super) id: Uuid,
}

impl Cursor {
    pub(super) fn of(note: &Note) -> Self {
        Self {
            created_at: note.identity().created_at,
            id: note.id(),
        }
    }

    /// The cursor and a digest of the filter, in hexadecimal.
    pub(super) fn encode(self, filter: &Filter) -> PageToken {
        let mut text = String::with_capacity(64);
        let millis = self.created_at.as_millis().to_be_bytes();
        for byte in millis
            .iter()
            .chain(self.id.as_bytes())
            .chain(&digest(filter))
        {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        PageToken(text)
    }

    pub(super) fn decode(token: &PageToken, filter: &Filter) -> Result<Self, Error> {
        let bytes = from_hex(&token.0).ok_or(Error::PageToken)?;
        let (millis, rest) = bytes.split_first_chunk::<8>().ok_or(Error::PageToken)?;
        let (id, rest) = rest.split_first_chunk::<16>().ok_or(Error::PageToken)?;
        if rest != digest(filter) {
            return Err(Error::PageToken);
        }
        Ok(Self {
            created_at: Timestamp::from_millis(i64::from_be_bytes(*millis)),
            id: Uuid::from_bytes(*id),
        })
    }
}

/// Tells one filter from another, so that a token is not used with a filter that it was not made for.
fn digest(filter: &Filter) -> [u8; 8] {
    let mut hash = Sha256::new();
    for id in [filter.patient_id, filter.encounter_id] {
        hash.update([u8::from(id.is_some())]);
        hash.update(id.unwrap_or_default().as_bytes());
    }
    hash.update(filter.state.map_or("", |state| state.name()));
    let mut short = [0; 8];
    short
        .iter_mut()
        .zip(hash.finalize())
        .for_each(|(to, from)| *to = from);
    short
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
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
        let check = |asked, expect| assert_eq!(page_size(asked), expect);
        check(0, 50);
        check(1, 1);
        check(200, 200);
        check(201, 200);
        check(u32::MAX, 200);
    }

    #[test]
    fn a_token_fits_its_own_filter_only() {
        let cursor = Cursor {
            created_at: Timestamp::from_millis(-5),
            id: Uuid::from_u128(7),
        };
        let all = Filter::default();
        let one = Filter {
            patient_id: Some(Uuid::nil()),
            ..all
        };
        let token = cursor.encode(&all);
        assert_eq!(Cursor::decode(&token, &all).ok(), Some(cursor));
        assert!(matches!(
            Cursor::decode(&token, &one),
            Err(Error::PageToken)
        ));
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        for text in [
            "",
            "0",
            "zz",
            "\u{e9}\u{e9}",
            &"00".repeat(31),
            &"00".repeat(33),
            &"0".repeat(4096),
        ] {
            let found = Cursor::decode(&PageToken::from_wire(text), &Filter::default());
            assert!(matches!(found, Err(Error::PageToken)), "{text}");
        }
    }
}
