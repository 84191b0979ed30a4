//! Values that must not be seen.

use std::fmt;
use std::time::SystemTime;

use http::HeaderValue;

/// Text that neither `Debug` nor `Display` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_boxed_str())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A token ready to be sent.
#[derive(Debug, Clone)]
pub struct Token {
    secret: Secret,
    header: HeaderValue,
    expires_at: SystemTime,
}

impl Token {
    /// A token that ends at `expires_at`.
    ///
    /// # Errors
    /// [`InvalidToken`] when it is empty or cannot stand in a header.
    pub fn new(secret: Secret, expires_at: SystemTime) -> Result<Self, InvalidToken> {
        if secret.expose().is_empty()
            || !secret.expose().bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(InvalidToken(()));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {}", secret.expose()))
            .map_err(|_| InvalidToken(()))?;
        // Keeps it out of the `Debug` of headers.
        header.set_sensitive(true);
        Ok(Self {
            secret,
            header,
            expires_at,
        })
    }

    /// The value of `authorization`: `Bearer` and the token, marked sensitive.
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }

    /// The value of `x-service-authorization`: the same, and not marked, so that HPACK's table may hold it. Write it into the
    /// headers of a request that is sent at once; their `Debug` would show it.
    pub fn indexed_header(&self) -> HeaderValue {
        let mut header = self.header.clone();
        header.set_sensitive(false);
        header
    }

    /// The token itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// When it ends.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

/// A token that cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token must be visible ASCII and not empty")]
pub struct InvalidToken(());
