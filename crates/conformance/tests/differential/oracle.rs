//! The other implementation.

use std::sync::Arc;

use prost_protovalidate::{Error, Validator, ValidatorOption};
use prost_reflect::{Cardinality, DynamicMessage, Kind, MessageDescriptor};
use scribemed_conformance::DESCRIPTORS;
use scribemed_rpc::validate::Violation;

/// What is wrong with a message: field, rule, where the rule stands, whether the key is meant, and the message of an
/// expression. Those of other rules it has from an older release of protovalidate; the suite compares them word for word.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    violations: Vec<(String, String, String, bool, String)>,
    /// A rule could not be evaluated.
    failed: bool,
}

impl Verdict {
    pub(crate) fn ours(violations: &[Violation]) -> Self {
        if violations.iter().any(|violation| violation.failed) {
            return Self {
                failed: true,
                ..Self::default()
            };
        }
        let of = |violation: &Violation| {
            let Violation {
                field,
                rule,
                rule_path,
                for_key,
                message,
                ..
            } = violation;
            (
                field.clone(),
                (*rule).to_owned(),
                (*rule_path).to_owned(),
                *for_key,
                said(rule_path, message),
            )
        };
        let mut violations: Vec<_> = violations.iter().map(of).collect();
        violations.sort();
        Self {
            violations,
            failed: false,
        }
    }
}

fn said(rule_path: &str, message: &str) -> String {
    let expression = rule_path.contains("cel");
    expression.then(|| message.to_owned()).unwrap_or_default()
}

pub(crate) struct Oracle(Validator);

impl Oracle {
    /// For rules that ask for the time it is `now`, in seconds since 1970.
    pub(crate) fn new(now: i64) -> Self {
        let now = move || prost_types::Timestamp {
            seconds: now,
            nanos: 0,
        };
        Self(Validator::with_options(&[
            ValidatorOption::NowFn(Arc::new(now)),
            // Rules that the cases define themselves.
            ValidatorOption::AdditionalDescriptorSetBytes(DESCRIPTORS.to_vec()),
        ]))
    }

    pub(crate) fn judge(&self, message: &DynamicMessage) -> Verdict {
        match self.0.validate(message) {
            Ok(()) => Verdict::default(),
            Err(Error::Validation(error)) => {
                let mut violations: Vec<_> = error
                    .violations()
                    .iter()
                    .map(|violation| {
                        (
                            violation.field_path(),
                            violation.rule_id().to_owned(),
                            violation.rule_path(),
                            violation.for_key() == Some(true),
                            said(&violation.rule_path(), violation.message()),
                        )
                    })
                    .collect();
                violations.sort();
                Verdict {
                    violations,
                    failed: false,
                }
            }
            Err(Error::Runtime(_)) => Verdict {
                failed: true,
                ..Verdict::default()
            },
            Err(error) => Verdict {
                violations: vec![(
                    error.to_string(),
                    String::new(),
                    String::new(),
                    false,
                    String::new(),
                )],
                failed: true,
            },
        }
    }
}

/// The mistakes of prost-protovalidate 0.6, by message.
pub(crate) fn mistake(_message: &str) -> Option<&'static str> {
    None
}

/// Whether a label `required` stands in the message: prost does not tell that such a field is absent.
pub(crate) fn has_required(message: &MessageDescriptor) -> bool {
    message.fields().any(|field| {
        field.cardinality() == Cardinality::Required
            || matches!(field.kind(), Kind::Message(inner)
                if inner.full_name() != message.full_name() && inner.fields().any(|field| field.cardinality() == Cardinality::Required))
    })
}
