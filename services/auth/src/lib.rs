//! The auth service: tokens for services, the key set, rotation.
//!
//! A service proves who it is with an assertion signed by its own key and gets an access token for one audience. Who may
//! ask, with which key and for which permissions, stands in the grants file ([`Grants`]), which is read again when it
//! changes. A service that shows the token of an end user gets one to act for that user (RFC 8693). The keys that sign tokens live in the database; which of them are published and which one signs follows from
//! the time alone, so there is no schedule that could be missed.
//!
//! ```no_run
//! # async fn example(
//! #     config: scribemed_auth_service::Config,
//! #     listener: tokio::net::TcpListener,
//! # ) -> Result<(), scribemed_auth_service::Error> {
//! use scribemed_auth_service::AuthService;
//! use scribemed_service::Platform;
//!
//! let auth = AuthService::open(config).await?;
//! // The service verifies the callers of RotateKeys with its own keys.
//! let platform = Platform::new(auth.settings(), Default::default());
//! auth.run(platform, listener).await
//! # }
//! ```

mod config;
mod error;
mod exchange;
pub mod grants;
mod health;
mod service;
mod store;
mod subjects;
mod time;
mod v1;

pub use config::Config;
pub use grants::{Client, Grants};
pub use service::{AuthService, Error};
