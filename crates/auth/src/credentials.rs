//! The caller's side: the token that goes with a call, and how it is kept fresh.

mod cache;
mod secret;
mod subjects;

pub use self::cache::{Error, TokenCache, TokenSource};
pub use self::secret::{InvalidToken, Secret, Token};
pub use self::subjects::MAX_SUBJECTS;

#[cfg(test)]
mod tests;
