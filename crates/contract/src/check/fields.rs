//! What messages are made of.

use std::collections::BTreeSet;

use prost_reflect::{FieldDescriptor, Value};

use super::elements::messages;
use super::reach::{Reach, Ways};
use super::rule;
use super::{Change, Finding, rules};

const BEHAVIOR: &str = "google.api.field_behavior";
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const INPUT_ONLY: i32 = 4;
const IMMUTABLE: i32 = 5;

pub(super) fn check(change: &Change<'_>, out: &mut Vec<Finding>) {
    // Whom a change breaks was built with the old contract, so its ways count.
    let reach = Reach::of(change.old);
    for new in messages(change.new) {
        let Some(old) = change.old.get_message_by_name(new.full_name()) else {
            continue;
        };
        let ways = reach.ways(old.full_name());
        rules::message(&old, &new, ways, out);
        for field in new.fields() {
            match old.get_field(field.number()) {
                Some(old) => {
                    rules::field(&old, &field, ways, out);
                    behavior(&old, &field, ways, out);
                }
                None if ways.request => born(&field, out),
                None => {}
            }
        }
    }
}

fn behavior(old: &FieldDescriptor, new: &FieldDescriptor, ways: Ways, out: &mut Vec<Finding>) {
    let (before, now) = (behaviors(old), behaviors(new));
    for (behavior, name, counts) in [
        (REQUIRED, "REQUIRED", ways.request),
        (OUTPUT_ONLY, "OUTPUT_ONLY", ways.request),
        (IMMUTABLE, "IMMUTABLE", ways.request),
        (INPUT_ONLY, "INPUT_ONLY", ways.response),
    ] {
        if counts && now.contains(&behavior) && !before.contains(&behavior) {
            let reason = format!("field_behavior: {name} is new");
            out.push(Finding::new(&rule::FIELD_BEHAVIOR_TIGHTENED, new, reason));
        }
    }
}

/// A field that is new in a message that callers make.
fn born(new: &FieldDescriptor, out: &mut Vec<Finding>) {
    if behaviors(new).contains(&REQUIRED) {
        let reason = "new, and field_behavior is REQUIRED".to_owned();
        out.push(Finding::new(&rule::REQUIRED_FIELD_ADDED, new, reason));
    } else {
        rules::born(new, out);
    }
}

fn behaviors(field: &FieldDescriptor) -> BTreeSet<i32> {
    let options = field.options();
    let Some(extension) = field.parent_pool().get_extension_by_name(BEHAVIOR) else {
        return BTreeSet::new();
    };
    let behaviors = options.get_extension(&extension);
    let behaviors = behaviors.as_list().unwrap_or_default();
    behaviors.iter().filter_map(Value::as_enum_number).collect()
}
