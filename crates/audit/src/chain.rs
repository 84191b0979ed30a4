//! What ties a record to the one before it.

use std::fmt;
use std::path::Path;

use aws_lc_rs::{constant_time, digest, hmac};

/// The length of a hash in a record: SHA-256 in lower-case hexadecimal.
pub(crate) const HASH: usize = 64;
/// What stands before the hash of a line.
const BEFORE_HASH: &str = ",\"hash\":\"";
const AFTER_HASH: &str = "\"}";

/// The hash before the first record.
pub(crate) const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The shortest key, in bytes: as long as what it makes (RFC 2104, section 3).
const SHORTEST: usize = 32;

/// A secret for the hashes of the chain (HMAC-SHA-256, RFC 2104). Its `Debug` does not show it.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("the key cannot be read")]
    Unreadable(#[from] std::io::Error),
    /// Everybody on the machine may read it.
    #[error("others can read the key; `chmod 600` it")]
    Exposed,
    /// It is too short.
    #[error(
        "the key has {0} bytes, and needs {SHORTEST} at least; `openssl rand -out FILE 32` makes one"
    )]
    Short(usize),
}

impl Key {
    /// A key of these bytes.
    ///
    /// # Errors
    /// [`KeyError::Short`] below 32 bytes.
    pub fn new(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SHORTEST {
            return Err(KeyError::Short(secret.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// The key in a file, all of its bytes.
    ///
    /// # Errors
    /// It cannot be read, others than its owner can read it, or it is too short.
    pub fn load(file: &Path) -> Result<Self, KeyError> {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::metadata(file)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Exposed);
        }
        Self::new(&std::fs::read(file)?)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The hash of the part of a line that comes before it.
pub(crate) fn hash(key: Option<&Key>, body: &[u8]) -> String {
    match key {
        None => hex(digest::digest(&digest::SHA256, body).as_ref()),
        Some(Key(key)) => hex(hmac::sign(key, body).as_ref()),
    }
}

/// Appends a line to `out`: `body`, an object without its closing brace, and its hash, which is returned.
pub(crate) fn seal(key: Option<&Key>, body: &[u8], out: &mut Vec<u8>) -> String {
    let hash = hash(key, body);
    for part in [
        body,
        BEFORE_HASH.as_bytes(),
        hash.as_bytes(),
        AFTER_HASH.as_bytes(),
        b"\n",
    ] {
        out.extend_from_slice(part);
    }
    hash
}

/// The body of a line and its hash. `None`: it is no line of ours.
pub(crate) fn open(line: &[u8]) -> Option<(&[u8], &str)> {
    let line = line.strip_suffix(AFTER_HASH.as_bytes())?;
    let (rest, hash) = line.split_at_checked(line.len().checked_sub(HASH)?)?;
    let body = rest.strip_suffix(BEFORE_HASH.as_bytes())?;
    Some((body, std::str::from_utf8(hash).ok()?))
}

/// Whether `hash` is that of `body`.
pub(crate) fn holds(key: Option<&Key>, body: &[u8], hash: &str) -> bool {
    let right = self::hash(key, body);
    constant_time::verify_slices_are_equal(right.as_bytes(), hash.as_bytes()).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)])
        .collect()
}
