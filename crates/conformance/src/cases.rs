//! The messages of the cases, as the code generator made them.

use prost::{DecodeError, Message};
use scribemed_rpc::validate::{Findings, Validate, Violation};

#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    unused,
    rustdoc::all,
    reason = "generated code; its documentation is that of the contract"
)]
pub(crate) mod packages {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

/// Decodes a message and adds what is wrong with it to what is known.
pub type Check = fn(&[u8], Findings) -> Result<Vec<Violation>, DecodeError>;

include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// What checks the message with this full name.
pub(crate) fn find(name: &str) -> Option<Check> {
    let at = CHECKS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    CHECKS.get(at).map(|(_, check)| *check)
}

/// Each message, by its full name.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, Check)> {
    CHECKS.iter().copied()
}

/// Whether the cases of the suite were compiled in.
#[must_use]
pub fn are_there() -> bool {
    let suite = "buf.validate.conformance.cases.";
    CHECKS.iter().any(|(name, _)| name.starts_with(suite))
}

/// What the code generator refused: the element, or the file that it could not read, and why.
pub(crate) fn refused() -> &'static [(&'static str, &'static str)] {
    REFUSED
}

#[allow(
    dead_code,
    reason = "used for each case, of which a build may have none"
)]
fn check<M: Message + Default + Validate>(
    encoded: &[u8],
    mut findings: Findings,
) -> Result<Vec<Violation>, DecodeError> {
    M::decode(encoded)?.violations(&mut findings);
    Ok(findings.into_result().err().unwrap_or_default())
}
