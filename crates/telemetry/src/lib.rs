//! Logs and metrics of a service.
//!
//! Logs go to standard error, readable or JSON, one line per call (written by the server). [`metrics`] counts calls, and
//! tells what it counted in Prometheus's format.
//!
//! [`traces`] exports spans over OTLP.
//!
//! No line holds note text, transcripts, audio, names or tokens: what is logged is ids, codes, sizes and times.

pub mod metrics;
pub mod otel;
pub mod traces;

use std::io::IsTerminal as _;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Readable,
    /// One JSON object a line, fields at the top, for log collectors.
    Json,
}

/// A format that is neither `readable` nor `json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are two formats: readable and json")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "readable" => Ok(Self::Readable),
            "json" => Ok(Self::Json),
            _ => Err(UnknownFormat),
        }
    }
}

/// Why logging was not set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter cannot be read.
    #[error(
        "the log filter {filter:?} cannot be read; a good one is `info` or `info,scribemed=debug`"
    )]
    Filter {
        /// As given.
        filter: String,
        /// Why.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Something else has set up logging in this process.
    #[error("logging is set up already")]
    AlreadySet(#[from] tracing_subscriber::util::TryInitError),
}

/// What is logged unless configured otherwise: whisper.cpp tells at level info how it is built.
pub const DEFAULT_FILTER: &str = "info,whisper_rs=warn";

/// Sends every event that passes `filter` (the syntax of `RUST_LOG`) to standard error. A panic becomes an event of level
/// error, within the span of the call that it fails.
///
/// # Errors
/// A malformed filter, or a second call in the same process.
pub fn init(format: Format, filter: &str) -> Result<(), Error> {
    let filter = EnvFilter::try_new(filter).map_err(|source| Error::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        Format::Readable => registry.with(lines.compact()).try_init()?,
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init()?,
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Only a message that is written in the code is shown: one that was put together at run time may hold what a patient said.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let said = panic.payload().downcast_ref::<&'static str>().copied();
    tracing::error!(target: "scribemed::panic", location, said, "panicked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_two_formats() {
        assert_eq!("json".parse(), Ok(Format::Json));
        assert_eq!("readable".parse(), Ok(Format::Readable));
        assert_eq!("xml".parse::<Format>(), Err(UnknownFormat));
    }

    #[test]
    fn a_malformed_filter_is_shown_beside_a_good_one() {
        let message = init(Format::Readable, "info,=[")
            .err()
            .map(|e| e.to_string());
        assert!(message.is_some_and(|m| m.contains("info,=[") && m.contains("scribemed=debug")));
    }
}
