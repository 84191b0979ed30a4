//! The etag of a note.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::time::Timestamp;

/// Identifies one revision of one note. Opaque to callers, who send back what they got (AIP-154).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Etag(String);

impl Etag {
    /// The etag of a revision.
    ///
    /// It does not depend on the text, which an etag in a log would otherwise let someone guess. The instant keeps it
    /// from coming back when a database is restored from a backup and the same revision is written anew.
    pub(super) fn of(note: Uuid, revision: u32, updated_at: Timestamp) -> Self {
        let mut hash = Sha256::new();
        hash.update(note.as_bytes());
        hash.update(revision.to_be_bytes());
        hash.update(updated_at.as_millis().to_be_bytes());
        let mut text = String::with_capacity(16);
        for byte in hash.finalize().iter().take(8) {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// An etag as a caller sent it. Whether it is one shows when it is compared.
    pub fn from_wire(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The etag as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
