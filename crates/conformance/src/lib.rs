//! The executor that protovalidate's conformance suite asks: does what our code generator makes of a contract find the
//! violations that protovalidate defines, at the same fields, by the same rules, in the same words?
//!
//! The suite sends a `TestConformanceRequest` and reads a `TestConformanceResponse`. The messages of its cases are compiled
//! into this crate when `SCRIBEMED_PROTOVALIDATE` names the module that holds them; `cargo xtask conformance` does all of it.

mod cases;
mod path;
mod refusals;
#[cfg(test)]
mod sample;
mod violation;

use std::collections::HashMap;

use prost::{DecodeError, Message as _};
use prost_reflect::DescriptorPool;
use prost_types::FileDescriptorSet;

pub use cases::{Check, find, known};

use cases::packages::buf::validate::conformance::harness::{
    TestConformanceRequest, TestConformanceResponse, TestResult, test_result,
};
use refusals::Refusals;
use violation::Unnamed;

const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));

/// Why a request is not answered.
#[derive(Debug)]
pub enum Error {
    /// The request is no `TestConformanceRequest`.
    Request(DecodeError),
    /// The descriptors that were compiled in cannot be linked.
    Descriptors(Box<prost_reflect::DescriptorError>),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Request(error) => write!(f, "the request is no TestConformanceRequest: {error}"),
            Self::Descriptors(error) => write!(f, "the descriptors cannot be linked: {error}"),
        }
    }
}

impl std::error::Error for Error {}

/// The answer to an encoded `TestConformanceRequest`: an encoded `TestConformanceResponse`, with a result for each case.
///
/// # Errors
/// The request cannot be decoded. What is wrong with a case is its result.
pub fn answer(request: &[u8]) -> Result<Vec<u8>, Error> {
    let request = TestConformanceRequest::decode(request).map_err(Error::Request)?;
    let pool =
        DescriptorPool::decode(DESCRIPTORS).map_err(|error| Error::Descriptors(Box::new(error)))?;
    let refusals = Refusals::of(&pool, cases::refused());
    let files = request.fdset.unwrap_or_default();
    let mut results = HashMap::new();
    for (name, case) in request.cases {
        let result = play(&pool, &refusals, &files, &case);
        let result = TestResult {
            result: Some(result),
        };
        results.insert(name, result);
    }
    Ok(TestConformanceResponse { results }.encode_to_vec())
}

fn play(
    pool: &DescriptorPool,
    refusals: &Refusals<'_>,
    files: &FileDescriptorSet,
    case: &prost_types::Any,
) -> test_result::Result {
    let name = case.type_url.rsplit('/').next().unwrap_or_default();
    let (Some(check), Some(message)) = (find(name), pool.get_message_by_name(name)) else {
        return test_result::Result::UnexpectedError(refusals.unread(files, name));
    };
    if let Some(refusal) = refusals.why(&message) {
        return test_result::Result::CompilationError(refusal);
    }
    let violations = match check(&case.value) {
        Ok(violations) => violations,
        Err(error) => return test_result::Result::UnexpectedError(error.to_string()),
    };
    if violations.is_empty() {
        return test_result::Result::Success(true);
    }
    if let Some(failed) = violations.iter().find(|violation| violation.failed) {
        return test_result::Result::RuntimeError(failed.to_string());
    }
    match violation::written(pool, &message, &violations) {
        Ok(violations) => test_result::Result::ValidationError(violations),
        Err(Unnamed(path)) => test_result::Result::UnexpectedError(format!(
            "a violation is at {path:?}, which {name} does not have"
        )),
    }
}
