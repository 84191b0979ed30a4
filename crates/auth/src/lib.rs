//! Service identity: signing keys, tokens, key sets, `Principal` and permissions.
//!
//! A service proves who it is to the auth service with a signed [`assertion`] and gets a short-lived access [`token`]
//! for one audience. The called service checks that token offline with a [`Verifier`] and gets a [`Principal`].
//! The caller keeps its token in a [`TokenCache`].
//!
//! All of our own signatures are Ed25519 (`EdDSA`, RFC 8037); no other algorithm is ever accepted for them. Issuers of
//! [end users'](end_user) tokens may be pinned to `ES256` and `RS256` too. Nothing here knows a contract or a transport:
//! what fetches keys and tokens is handed in as a [`KeySource`] or a [`TokenSource`].
//!
//! ```
//! use std::sync::Arc;
//! use scribemed_auth::{CachedKeys, KeySet, ManualClock, Permission, SigningKey, Verifier, token, verifier};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let clock = Arc::new(ManualClock::at_unix(1_750_000_000));
//! let key = SigningKey::generate()?;
//! let read = Permission::new("read:transcriptions")?;
//!
//! let issued = token::Issuer::new("https://auth.example", clock.clone()).issue(
//!     &key,
//!     &token::Grant {
//!         subject: "documentation",
//!         client_id: "documentation",
//!         audience: "transcription",
//!         permissions: &[read],
//!     },
//! )?;
//!
//! let published = KeySet::new([key.public().clone()])?;
//! let keys = CachedKeys::new(Arc::new(published), verifier::CacheConfig::default(), clock.clone());
//! let verifier = Verifier::new(verifier::Config::new("https://auth.example", "transcription"), keys, clock);
//! let principal = verifier.verify(issued.secret.expose()).await?;
//!
//! assert_eq!(principal.service(), "documentation");
//! assert!(principal.has("read:transcriptions"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod assertion;
pub mod clock;
pub mod credentials;
pub mod end_user;
pub mod keys;
pub mod principal;
pub mod token;
pub mod verifier;

mod flight;
mod jwt;
mod keyed_hash;

use std::pin::Pin;

pub use clock::{Clock, ManualClock, SystemClock};
pub use credentials::{Secret, Token, TokenCache, TokenSource};
pub use end_user::{EndUser, EndUsers};
pub use flight::Cause;
pub use keys::{Algorithm, Jwk, KeySet, SigningKey};
pub use principal::{Permission, Principal};
pub use verifier::{CachedKeys, KeySource, Verifier};

/// Whatever went wrong behind a [`KeySource`] or a [`TokenSource`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed future, which keeps [`KeySource`] and [`TokenSource`] usable as trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
