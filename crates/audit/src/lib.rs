//! The audit log of a service: who called what, on whose behalf, with which result, and when.
//!
//! One JSON object a line, in a file that only grows. Each record holds the hash of the one before it, so a record that was
//! changed, removed or put elsewhere is found by [`verify()`]. A record holds ids, names of services and methods, codes and
//! times, and nothing of what was said or written.
//!
//! ```text
//! {"seq":7,"time":"2026-11-25T12:00:00.123Z","service":"documentation","event":"call","caller":"emr",
//!  "method":"scribemed.documentation.v2.DocumentationService/GetNote","code":"OK","request_id":"0199...",
//!  "token_id":"5c0d...","prev":"<hash of record 6>","hash":"<hash of this one>"}
//! ```
//!
//! The hash is SHA-256 over the line up to and without `,"hash"`; `prev` is part of that. With a [`Key`] it is HMAC-SHA-256,
//! so that who can write the file but does not have the key cannot make a chain anew.
//!
//! # What is promised
//! - Nothing is lost silently. A call gets its [`Place`] before it begins; where there is none, because the disk is full
//!   or slower than the calls, the call is refused. Refusals of callers that are not known are counted above 50 a second,
//!   and a record tells how many there were.
//! - [`Place::record_durably`] tells when its record is on the disk. Any other record is written within 5 ms, which a
//!   process that is killed does not undo, and is on the disk within 100 ms, so a power cut takes at most that much.
//! - [`AuditLog::close`] writes what there is.
//!
//! # What is not
//! The last records of the newest file can be cut off without a trace in the chain: whoever wants to see that keeps the
//! number of the last record elsewhere ([`AuditLog::sequence`], which is a metric) and compares.

mod chain;
mod entry;
mod file;
mod log;
mod time;
mod verify;
mod writer;

pub use chain::{Key, KeyError};
pub use entry::{Entry, OnBehalfOf, Outcome};
pub use file::OpenError;
pub use log::{AuditLog, Config, Place, Unavailable, Written};
pub use verify::{Broken, Problem, Report, VerifyError, verify};

#[cfg(test)]
mod tests;
