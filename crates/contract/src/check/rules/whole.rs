//! The rules of a message as a whole, and of its oneofs.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, MessageDescriptor, OneofDescriptor, Value};
use scribemed_codegen::options::{Fields as _, extension};

use super::compare;
use super::flat;
use super::model::{Accepted, Limits};
use super::verdict::Verdict;

const MESSAGE: &str = "buf.validate.message";
const ONEOF: &str = "buf.validate.oneof";

/// What a message accepts.
pub(super) struct Whole {
    expressions: Limits,
    groups: Vec<Group>,
}

/// Fields of which one at most may be set, or exactly one.
struct Group {
    fields: BTreeSet<String>,
    required: bool,
}

/// The rules of a message, as written.
pub(super) fn rules(message: &MessageDescriptor) -> Option<DynamicMessage> {
    extension(message.parent_pool(), &message.options(), MESSAGE)
}

/// Whether one of the fields must be set.
pub(super) fn is_required(oneof: &OneofDescriptor) -> bool {
    let pool = oneof.parent_message().parent_pool();
    let rules = extension(pool, &oneof.options(), ONEOF);
    rules
        .and_then(|rules| rules.flag("required"))
        .unwrap_or(false)
}

pub(super) fn read(message: &MessageDescriptor) -> Whole {
    let mut whole = Whole {
        expressions: Limits::new(),
        groups: Vec::new(),
    };
    if let Some(rules) = rules(message) {
        flat::expressions(&rules, &mut whole.expressions);
        flat::others(
            &rules,
            |name| ["cel", "cel_expression", "oneof"].contains(&name),
            &mut whole.expressions,
        );
        flat::unknown(&rules, &mut whole.expressions);
        let groups = rules.list("oneof");
        whole.groups = groups
            .iter()
            .filter_map(Value::as_message)
            .map(group)
            .collect();
    }
    whole
}

fn group(rules: &DynamicMessage) -> Group {
    let fields = rules.list("fields");
    Group {
        fields: fields
            .iter()
            .filter_map(|field| field.as_str().map(str::to_owned))
            .collect(),
        required: rules.flag("required").unwrap_or(false),
    }
}

/// Whether `outer` accepts all that `inner` does.
pub(super) fn includes(outer: &Whole, inner: &Whole) -> Verdict {
    let limited = |limits: &Limits| Accepted {
        limits: limits.clone(),
        ..Accepted::everything()
    };
    let expressions = compare::includes(&limited(&outer.expressions), &limited(&inner.expressions));
    let groups = outer.groups.iter().all(|group| {
        // At most one of more fields is at most one of these; one of fewer fields is one of these.
        let one_at_most = inner
            .groups
            .iter()
            .any(|known| known.fields.is_superset(&group.fields));
        let one_at_least = inner
            .groups
            .iter()
            .any(|known| known.required && known.fields.is_subset(&group.fields));
        one_at_most && (one_at_least || !group.required)
    });
    expressions.and(groups.into())
}
