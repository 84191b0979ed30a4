//! The reasons in errors.

use prost_reflect::EnumDescriptor;

use super::elements::{Element, enums, gone};
use super::rule;
use super::{Change, Finding};

pub(super) fn check(change: &Change<'_>, out: &mut Vec<Finding>) {
    for old in enums(change.old).filter(is_reasons) {
        let new = change.new.get_enum_by_name(old.full_name());
        let place = new
            .as_ref()
            .map_or_else(|| gone(old.parent_file().name()), Element::place);
        for value in old.values() {
            let is_there =
                |new: &EnumDescriptor| new.values().any(|now| now.name() == value.name());
            if new.as_ref().is_some_and(is_there) {
                continue;
            }
            let renamed = new.as_ref().and_then(|new| new.get_value(value.number()));
            let (rule, place, reason) = if let Some(now) = renamed {
                let reason = format!(
                    "{} -> {}, number {}",
                    value.name(),
                    now.name(),
                    value.number()
                );
                (&rule::ERROR_REASON_RENAMED, now.place(), reason)
            } else {
                let reason = format!("{} = {} is gone", value.name(), value.number());
                (&rule::ERROR_REASON_REMOVED, place.clone(), reason)
            };
            out.push(Finding::at(
                rule,
                value.full_name().to_owned(),
                place,
                reason,
            ));
        }
    }
}

fn is_reasons(kind: &EnumDescriptor) -> bool {
    kind.name().ends_with("ErrorReason")
}
