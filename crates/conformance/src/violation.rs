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
