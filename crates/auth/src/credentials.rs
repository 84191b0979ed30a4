//! The caller's side: the token that goes with a call, and how it is kept fresh.

mod cache;
mod secret;

pub use self::cache::{Error, TokenCache, TokenSource};
pub use self::secret::{InvalidToken, Secret, Token};

#[cfg(test)]
mod tests;
