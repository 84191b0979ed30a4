//! The other implementation.

use std::sync::Arc;

use prost_protovalidate::{Error, Validator, ValidatorOption};
use prost_reflect::{
    Cardinality, DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value,
};
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
    /// Whether ours has stopped looking at the items of lists and maps.
    pub(crate) fn is_cut(&self) -> bool {
        self.violations.len() >= 100
    }

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

impl Verdict {
    /// What this one finds alone.
    pub(crate) fn without(&self, other: &Self) -> Self {
        let mut rest = other.violations.clone();
        let alone = self.violations.iter().filter(|violation| {
            let there = rest.iter().position(|it| it == *violation);
            there.map(|at| rest.swap_remove(at)).is_none()
        });
        Self {
            violations: alone.cloned().collect(),
            failed: self.failed,
        }
    }
}

fn said(rule_path: &str, message: &str) -> String {
    if rule_path.contains("cel") {
        message.to_owned()
    } else {
        String::new()
    }
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
                            // It takes a key with a bracket for the name of an extension.
                            violation.field_path().replace(".[\"", "[\""),
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

const EMPTY: &str =
    "the id of an empty address is not the path of its rule, which is `ip`, `ipv4` or `ipv6`";
const PRESENT: &str = "the present is let pass: `this < now ? 'must be greater than now'`";
const NO_UTF8: &str =
    "bytes that are not UTF-8 are no string: the conversion fails (cel-go: types.Bytes)";
const NAN: &str = "the language does not say what `NaN <= 1.0` is; ours is false (IEEE 754), theirs fails, as in cel-go";

/// Where prost-protovalidate 0.6 finds something else, and why ours is right or may be. What is quoted stands in
/// `buf/validate/validate.proto`.
pub(crate) const DIFFERENT: &[(&str, &str)] = &[
    ("BytesIP", EMPTY),
    ("BytesIPv4", EMPTY),
    ("BytesIPv6", EMPTY),
    (
        "FieldExpressionOnly",
        "the message of an expression without one is `\"...\" returned false`",
    ),
    ("PredefinedBytesRuleProto2", NO_UTF8),
    ("PredefinedDoubleRuleProto2", NAN),
    ("PredefinedFloatRuleProto2", NAN),
    ("PredefinedRepeatedWrappedBytesRuleProto2", NO_UTF8),
    ("PredefinedRepeatedWrappedDoubleRuleProto2", NAN),
    ("PredefinedRepeatedWrappedFloatRuleProto2", NAN),
    ("PredefinedWrappedBytesRuleProto2", NO_UTF8),
    ("PredefinedWrappedDoubleRuleProto2", NAN),
    ("PredefinedWrappedFloatRuleProto2", NAN),
    (
        "StringIP",
        "the zone of an address may be any text that is not empty (RFC 4007, section 11.2), also a space",
    ),
    (
        "StringURIRef",
        "nothing is a reference (RFC 3986, section 4.2), and there is no rule `uri_ref_empty`",
    ),
    ("TimeRules", PRESENT),
    ("TimestampGTNow", PRESENT),
    ("TimestampGTNowWithin", PRESENT),
    ("TimestampLTNow", PRESENT),
    ("TimestampLTNowWithin", PRESENT),
];

/// Whether a time in the message is none: out of range, or of two signs. What rules make of that is not said; ours counts
/// on, as cel-go does.
pub(crate) fn holds_no_time(message: &DynamicMessage) -> bool {
    let no_time = |message: &DynamicMessage| {
        let part = |name| message.get_field_by_name(name);
        let seconds = part("seconds").and_then(|value| value.as_i64());
        let nanos = part("nanos").and_then(|value| value.as_i32());
        let (Some(seconds), Some(nanos)) = (seconds, nanos) else {
            return false;
        };
        match message.descriptor().full_name() {
            "google.protobuf.Timestamp" => {
                !(0..1_000_000_000).contains(&nanos)
                    || !(-62_135_596_800..=253_402_300_799).contains(&seconds)
            }
            "google.protobuf.Duration" => {
                nanos.unsigned_abs() >= 1_000_000_000
                    || seconds.unsigned_abs() > 315_576_000_000
                    || i64::from(nanos.signum()) * seconds.signum() < 0
            }
            _ => false,
        }
    };
    let held = |value: &Value| value.as_message().is_some_and(holds_no_time);
    no_time(message)
        || message.fields().any(|(_, value)| {
            let mut items = value.as_list().into_iter().flatten();
            let mut entries = value.as_map().into_iter().flat_map(|map| map.values());
            held(value) || items.any(held) || entries.any(held)
        })
}

/// Whether a label `required` stands in the message or one that it holds: prost does not tell that such a field is absent.
pub(crate) fn has_required(message: &MessageDescriptor) -> bool {
    let required = |message: &MessageDescriptor| {
        let mut fields = message.fields();
        fields.any(|field| field.cardinality() == Cardinality::Required)
    };
    let held = |kind: Kind| kind.as_message().is_some_and(required);
    required(message) || message.fields().any(|field| held(field.kind()))
}
