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
    let (before, now) = (read::field(old), read::field(new));
    let wider = compare::includes(&now, &before);
    let narrower = compare::includes(&before, &now);
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
    let name = |kind: Kind| {
        let message = kind.as_message().map(|message| {
            if message.is_map_entry() {
                "map".to_owned()
            } else {
                message.full_name().to_owned()
            }
        });
        let named = message.or_else(|| kind.as_enum().map(|kind| kind.full_name().to_owned()));
        named.unwrap_or_else(|| format!("{kind:?}"))
    };
    name(old.kind()) == name(new.kind()) && old.is_list() == new.is_list()
}

/// The values of an enum that came or went; `defined_only` makes a rule of them.
fn values(old: &FieldDescriptor, new: &FieldDescriptor) -> String {
    let names = |field: &FieldDescriptor| {
        let kind = field.kind();
        let entry = kind.as_message().filter(|entry| entry.is_map_entry());
        let kind = entry.map_or(kind.clone(), |entry| entry.map_entry_value_field().kind());
        let names: Option<Vec<String>> = kind
            .as_enum()
            .map(|kind| kind.values().map(|value| value.name().to_owned()).collect());
        names.unwrap_or_default()
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
    let (rule, what) = match read::field(new).absent {
        Verdict::Yes => return,
        Verdict::No => (&rule::REQUIRED_FIELD_ADDED, "refused when it is left out"),
        Verdict::Unknown => (
            &rule::RULE_NOT_COMPARABLE,
            "nobody can tell whether it may be left out",
        ),
    };
    let rules = flat::difference(None, read::rules(new).as_ref());
    out.push(Finding::new(rule, new, format!("new, and {what}: {rules}")));
}

/// Compares the rules of a message as a whole, and of its oneofs.
pub(super) fn message(
    old: &MessageDescriptor,
    new: &MessageDescriptor,
    ways: Ways,
    out: &mut Vec<Finding>,
) {
    let (before, now) = (whole::read(old), whole::read(new));
    judge(
        whole::includes(&now, &before),
        whole::includes(&before, &now),
        ways,
        new,
        out,
        || flat::difference(whole::rules(old).as_ref(), whole::rules(new).as_ref()),
    );
    for oneof in new.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        let known = old.oneofs().find(|known| known.name() == oneof.name());
        let before = known.as_ref().is_some_and(whole::is_required);
        let now = whole::is_required(&oneof);
        judge(
            (before || !now).into(),
            (now || !before).into(),
            ways,
            &oneof,
            out,
            || format!("oneof.required: {before} -> {now}"),
        );
    }
}

#[cfg(test)]
mod tests;
