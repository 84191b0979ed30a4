//! The transcription service: speech to text as durable jobs.
//!
//! - [`audio`] makes 16 kHz mono of any recording, or says what is wrong with it.
//! - [`engine`] turns that into text, in this process or elsewhere.
//! - [`source`] fetches a recording from where a caller says, if that is allowed.
//! - [`run()`] serves both versions of the contract over one store.
//!
//! What a patient said is in the store and in the answers to callers who may read it, and nowhere else: no log line, no
//! error and no `Debug` output holds it.

pub mod audio;
pub mod engine;
pub mod source;

mod changes;
mod config;
mod convert;
mod core;
mod error;
mod health;
mod intake;
mod job;
mod model;
mod reason;
mod run;
mod store;
mod transcription;
mod v1;
mod v2;

pub use config::Config;
pub use model::EngineConfig;
pub use run::{RunError, run};
pub use store::OpenError;
