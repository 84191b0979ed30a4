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
use prost_reflect::{DescriptorPool, MessageDescriptor};
use prost_types::FileDescriptorSet;
use scribemed_rpc::validate::Findings;

pub use cases::{Check, are_there};

use cases::packages::buf::validate::conformance::harness::{
    TestConformanceRequest, TestConformanceResponse, TestResult, test_result,
};
use refusals::Refusals;
use violation::Unnamed;

/// The descriptors of all that was compiled in, as an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));

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

/// The messages of the cases, and what the code generator made of them.
pub struct Executor {
    pool: DescriptorPool,
    refusals: Refusals<'static>,
}

impl Executor {
    /// All that were compiled in.
    ///
    /// # Errors
    /// The descriptors that were compiled in cannot be linked.
    pub fn new() -> Result<Self, Error> {
        let pool = DescriptorPool::decode(DESCRIPTORS)
            .map_err(|error| Error::Descriptors(Box::new(error)))?;
        let refusals = Refusals::of(&pool, cases::refused());
        Ok(Self { pool, refusals })
    }

    /// The messages that are not refused, in the order of their names, and what checks each.
    pub fn checks(&self) -> impl Iterator<Item = (MessageDescriptor, Check)> + '_ {
        cases::all().filter_map(|(name, check)| {
            let message = self.pool.get_message_by_name(name)?;
            self.refusals
                .why(&message)
                .is_none()
                .then_some((message, check))
        })
    }

    /// The answer to an encoded `TestConformanceRequest`: an encoded `TestConformanceResponse`, with a result for each case.
    ///
    /// # Errors
    /// The request cannot be decoded. What is wrong with a case is its result.
    pub fn answer(&self, request: &[u8]) -> Result<Vec<u8>, Error> {
        let request = TestConformanceRequest::decode(request).map_err(Error::Request)?;
        let files = request.fdset.unwrap_or_default();
        let mut results = HashMap::new();
        for (name, case) in request.cases {
            let result = TestResult {
                result: Some(self.play(&files, &case)),
            };
            results.insert(name, result);
        }
        Ok(TestConformanceResponse { results }.encode_to_vec())
    }

    fn play(&self, files: &FileDescriptorSet, case: &prost_types::Any) -> test_result::Result {
        let name = case.type_url.rsplit('/').next().unwrap_or_default();
        if name.starts_with("google.protobuf.") {
            // No rules stand on these.
            return test_result::Result::Success(true);
        }
        let (Some(check), Some(message)) = (cases::find(name), self.pool.get_message_by_name(name))
        else {
            return test_result::Result::UnexpectedError(self.refusals.unread(files, name));
        };
        if let Some(refusal) = self.refusals.why(&message) {
            return test_result::Result::CompilationError(refusal);
        }
        let violations = match check(&case.value, Findings::new()) {
            Ok(violations) => violations,
            Err(error) => return test_result::Result::UnexpectedError(error.to_string()),
        };
        if violations.is_empty() {
            return test_result::Result::Success(true);
        }
        if let Some(failed) = violations.iter().find(|violation| violation.failed) {
            return test_result::Result::RuntimeError(failed.to_string());
        }
        match violation::written(&self.pool, &message, &violations) {
            Ok(violations) => test_result::Result::ValidationError(violations),
            Err(Unnamed(path)) => test_result::Result::UnexpectedError(format!(
                "a violation is at {path:?}, which {name} does not have"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use prost_types::Any;

    use super::*;

    fn result(type_url: &str) -> Option<test_result::Result> {
        let case = Any {
            type_url: type_url.to_owned(),
            value: vec![],
        };
        let request = TestConformanceRequest {
            fdset: None,
            cases: HashMap::from([("a case".to_owned(), case)]),
        };
        let answer = Executor::new().unwrap().answer(&request.encode_to_vec());
        let mut response = TestConformanceResponse::decode(answer.unwrap().as_slice()).unwrap();
        response.results.remove("a case")?.result
    }

    #[test]
    fn each_case_has_a_result() {
        let unknown = result("type.googleapis.com/sample.Other");
        let Some(test_result::Result::UnexpectedError(why)) = unknown else {
            unreachable!("{unknown:?}");
        };
        assert!(why.contains("sample.Other"), "{why}");
        let without_rules = result("type.googleapis.com/google.protobuf.Any");
        assert_eq!(without_rules, Some(test_result::Result::Success(true)));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let error = Executor::new().unwrap().answer(&[255]).unwrap_err();
        assert!(matches!(error, Error::Request(_)), "{error}");
    }
}
