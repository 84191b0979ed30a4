//! Violations as protovalidate writes them.

use prost_reflect::{DescriptorPool, MessageDescriptor};
use scribemed_rpc::validate::Violation;

use crate::cases::packages::buf::validate as wire;
use crate::path;

/// A path that leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unnamed(pub(crate) String);

/// The violations of `message`, their paths taken apart.
pub(crate) fn written(
    pool: &DescriptorPool,
    message: &MessageDescriptor,
    violations: &[Violation],
) -> Result<wire::Violations, Unnamed> {
    let violations = violations
        .iter()
        .map(|violation| one(pool, message, violation))
        .collect::<Result<_, _>>()?;
    Ok(wire::Violations { violations })
}

fn one(
    pool: &DescriptorPool,
    message: &MessageDescriptor,
    violation: &Violation,
) -> Result<wire::Violation, Unnamed> {
    let elements = |root: &MessageDescriptor, text: &str| match text {
        "" => Ok(None),
        text => match path::elements(pool, root, text) {
            Some(elements) => Ok(Some(wire::FieldPath { elements })),
            None => Err(Unnamed(text.to_owned())),
        },
    };
    let rules = pool
        .get_message_by_name("buf.validate.FieldRules")
        .ok_or_else(|| Unnamed("buf.validate.FieldRules".to_owned()))?;
    Ok(wire::Violation {
        field: elements(message, &violation.field)?,
        rule: elements(&rules, violation.rule_path)?,
        rule_id: Some(violation.rule.to_owned()),
        message: Some(violation.message.clone().into_owned()),
        for_key: violation.for_key.then_some(true),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The names of a path's elements.
    fn names(path: Option<wire::FieldPath>) -> Vec<String> {
        let elements = path.unwrap_or_default().elements;
        elements
            .iter()
            .map(|element| element.field_name().to_owned())
            .collect()
    }

    #[test]
    fn a_violation_names_field_and_rule() {
        let pool = DescriptorPool::decode(crate::DESCRIPTORS).unwrap();
        let message = pool.get_message_by_name("buf.validate.FieldPath").unwrap();
        let one = Violation::new("elements[1].string_key", "string.len", "is too short")
            .by("map.keys.string.len")
            .for_key();
        let other = Violation::new("", "of.the.message", "is wrong").by("cel[0]");
        let written = written(&pool, &message, &[one, other]).unwrap();
        let [one, other] = written.violations.try_into().unwrap();
        assert_eq!(
            (one.rule_id(), one.message()),
            ("string.len", "is too short")
        );
        assert_eq!(one.for_key, Some(true));
        assert_eq!(names(one.field), ["elements", "string_key"]);
        assert_eq!(names(one.rule), ["map", "keys", "string", "len"]);
        assert_eq!((other.field, other.for_key), (None, None));
        assert_eq!(names(other.rule), ["cel"]);
    }

    #[test]
    fn a_path_that_the_message_does_not_have_is_told() {
        let pool = DescriptorPool::decode(crate::DESCRIPTORS).unwrap();
        let message = pool.get_message_by_name("buf.validate.FieldPath").unwrap();
        let nowhere = Violation::new("elements[1].none", "string.len", "is too short");
        let error = written(&pool, &message, &[nowhere]).unwrap_err();
        assert_eq!(error, Unnamed("elements[1].none".to_owned()));
    }
}
