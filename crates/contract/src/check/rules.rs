//! What messages must be like: each rule is a set of accepted values, and a change is judged by which set holds the other.

mod compare;
mod flat;
mod format;
mod model;
mod number;
mod ranges;
mod read;
mod verdict;
mod whole;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use self::verdict::Verdict;
use super::Finding;
use super::elements::Element;
use super::reach::Ways;
use super::rule;

/// Compares the rules of a field that is in both.
pub(super) fn field(
    old: &FieldDescriptor,
    new: &FieldDescriptor,
    ways: Ways,
    out: &mut Vec<Finding>,
) {
    // Another type, or one instead of many: that is seen elsewhere, and the rules say nothing about it.
    if !is_alike(old, new) {
        return;
    }
    let (was, is) = (read::field(old), read::field(new));
    let wider = compare::includes(&is, &was);
    let narrower = compare::includes(&was, &is);
    judge(wider, narrower, ways, new, out, || {
        let rules = flat::difference(read::rules(old).as_ref(), read::rules(new).as_ref());
        if rules.is_empty() {
            values(old, new)
        } else {
            rules
        }
    });
}

/// Reports what breaks somebody. `wider` is whether all that was accepted is; `narrower` whether all that is accepted was.
fn judge(
    wider: Verdict,
    narrower: Verdict,
    ways: Ways,
    element: &impl Element,
    out: &mut Vec<Finding>,
    reason: impl Fn() -> String,
) {
    let mut is_unknown = false;
    for (counts, verdict, rule) in [
        (ways.request, wider, &rule::REQUEST_RULE_TIGHTENED),
        (ways.response, narrower, &rule::RESPONSE_RULE_LOOSENED),
    ] {
        match verdict {
            Verdict::No if counts => out.push(Finding::new(rule, element, reason())),
            Verdict::Unknown if counts => is_unknown = true,
            Verdict::Yes | Verdict::No | Verdict::Unknown => {}
        }
    }
    if is_unknown {
        out.push(Finding::new(&rule::RULE_NOT_COMPARABLE, element, reason()));
    }
}

fn is_alike(old: &FieldDescriptor, new: &FieldDescriptor) -> bool {
    let name = |kind: Kind| match kind {
        Kind::Message(message) if message.is_map_entry() => "map".to_owned(),
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        kind => format!("{kind:?}"),
    };
    name(old.kind()) == name(new.kind()) && old.is_list() == new.is_list()
}

/// The values of an enum that came or went; `defined_only` makes a rule of them.
fn values(old: &FieldDescriptor, new: &FieldDescriptor) -> String {
    let names = |field: &FieldDescriptor| {
        let kind = match field.kind() {
            Kind::Message(entry) if entry.is_map_entry() => entry.map_entry_value_field().kind(),
            kind => kind,
        };
        let names = kind
            .as_enum()
            .map(|kind| kind.values().map(|value| value.name().to_owned()).collect());
        names.unwrap_or_else(Vec::new)
    };
    let (was, is) = (names(old), names(new));
    let only = |these: &[String], others: &[String]| {
        let only = these.iter().filter(|name| !others.contains(name));
        only.cloned().collect::<Vec<_>>().join(", ")
    };
    let (came, went) = (only(&is, &was), only(&was, &is));
    let mut parts = Vec::new();
    for (what, names) in [("new", came), ("gone", went)] {
        if !names.is_empty() {
            parts.push(format!("{what} among the defined values: {names}"));
        }
    }
    parts.join(", ")
}

/// A field that is new in a message that callers make: whether they may go on without it.
pub(super) fn born(new: &FieldDescriptor, out: &mut Vec<Finding>) {
    let absent = read::field(new).absent;
    if absent == Verdict::Yes {
        return;
    }
    let rules = flat::difference(None, read::rules(new).as_ref());
    let reason = format!("new, and refused when it is left out: {rules}");
    out.push(Finding::new(&rule::REQUIRED_FIELD_ADDED, new, reason));
}

/// Compares the rules of a message as a whole, and of its oneofs.
pub(super) fn message(
    old: &MessageDescriptor,
    new: &MessageDescriptor,
    ways: Ways,
    out: &mut Vec<Finding>,
) {
    let (was, is) = (whole::read(old), whole::read(new));
    judge(
        whole::includes(&is, &was),
        whole::includes(&was, &is),
        ways,
        new,
        out,
        || flat::difference(whole::rules(old).as_ref(), whole::rules(new).as_ref()),
    );
    for oneof in new.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let known = old.oneofs().find(|known| known.name() == oneof.name());
        let was = known.as_ref().is_some_and(whole::is_required);
        let is = whole::is_required(&oneof);
        judge(
            (was || !is).into(),
            (is || !was).into(),
            ways,
            &oneof,
            out,
            || format!("oneof.required: {was} -> {is}"),
        );
    }
}
