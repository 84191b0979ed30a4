//! What the main of a service uses.
//!
//! A [`Platform`] is what a service is given: typed clients of other services, a server, and the word when to stop.
//! [`main()`] makes one from the environment:
//!
//! | variable | what it is | default |
//! |---|---|---|
//! | `SCRIBEMED_LISTEN` | the address to serve on, `0.0.0.0:50052` | required |
//! | `SCRIBEMED_KEY` | the file with the service's own private key, PEM | required, but for auth |
//! | `SCRIBEMED_ISSUER` | who issues the access tokens | `auth.scribemed` |
//! | `<NAME>_SERVICE_URL` | where another service is, `dns:///auth:50051` | required for each that is called |
//! | `SCRIBEMED_LOG` | what is logged, in the syntax of `RUST_LOG` | `info,whisper_rs=warn` |
//! | `SCRIBEMED_LOG_FORMAT` | `readable` or `json` | `readable` |

pub mod data;
pub mod env;
mod identity;
mod platform;
mod process;

pub use data::DataFolder;
pub use env::Env;
pub use identity::{AuthServiceKeys, AuthServiceTokens};
pub use platform::{DEFAULT_ISSUER, Error, Platform, Settings};
pub use process::{cancel_on_signal, main, main_with};
pub use scribemed_client::Channel;
