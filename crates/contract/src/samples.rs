//! Samples: what a message of the contract looks like on the wire and as JSON, kept from one release to the next.
//!
//! [`of`] makes them from a released contract, by reflection alone: each field is set to a value that follows from its
//! number and its name, so the same contract has the same samples. A release adds its samples to [golden files](golden) and
//! changes none that is there; tests hold today's generated types against all of them.

mod fill;
pub mod golden;

use std::collections::BTreeMap;

use prost_reflect::prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _};

use crate::check::messages;

/// A message that cannot be shown. The command ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{message} has no JSON form: {reason}")]
pub struct Error {
    message: String,
    reason: String,
}

/// One message, filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The full name of the message.
    pub message: String,
    /// Its encoding, fields in the order of their numbers.
    pub bytes: Vec<u8>,
    /// Its canonical JSON, in one line, fields in the order of their numbers.
    pub json: String,
}

/// The samples of all messages of a contract, vendored ones apart, by package: one of each message, and where it has oneofs,
/// as many as the largest of them has variants, so that each variant is there.
///
/// Messages are filled to the second level within them; deeper ones are left out.
///
/// # Errors
/// [`Error`]; no contract that compiles has such a message, unless its JSON names collide.
pub fn of(pool: &DescriptorPool) -> Result<BTreeMap<String, Vec<Sample>>, Error> {
    let mut out: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    for message in messages(pool) {
        let of_package = out.entry(message.package_name().to_owned()).or_default();
        for variant in 0..fill::variants(&message) {
            of_package.push(sample(&message, variant)?);
        }
    }
    Ok(out)
}

fn sample(message: &MessageDescriptor, variant: usize) -> Result<Sample, Error> {
    let filled = fill::message(message, variant, 0);
    Ok(Sample {
        message: message.full_name().to_owned(),
        bytes: filled.encode_to_vec(),
        json: json(&filled)?,
    })
}

/// The canonical JSON of a message, in one line.
///
/// # Errors
/// [`Error`], for a well-known type whose value has no JSON form, such as a timestamp in the year 10000.
pub fn json(message: &DynamicMessage) -> Result<String, Error> {
    serde_json::to_string(message).map_err(|error| Error {
        message: message.descriptor().full_name().to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
