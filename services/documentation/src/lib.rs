//! The documentation service: clinical notes, drafted from transcripts.
//!
//! - [`draft`] places the sentences of a transcript in the sections of a note. It is pure and deterministic, and it
//!   neither loses nor makes up a sentence.
//! - [`note`] is the domain: what a note is, and which changes it allows.
//! - [`store`] keeps notes, every revision of them and the requests already answered, in `SQLite`.
//! - [`core`] is what the service does, without a word of the contract; `job` drafts what it has accepted.
//! - `v1` and `v2` serve the two versions of the contract from that one core; `convert` and [`error`] translate.
//! - [`run`] puts it all together.
//!
//! Text that was said or written about a patient is held in [`phi::Phi`], which does not print itself.

mod convert;
pub mod core;
pub mod draft;
pub mod error;
mod health;
mod job;
pub mod note;
pub mod phi;
pub mod section;
mod service;
pub mod store;
pub mod time;
pub mod transcript;
mod v1;
mod v2;

pub use service::{Config, Error, run};
