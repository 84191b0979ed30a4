//! What a change of a contract breaks and `buf breaking` cannot see.
//!
//! [`check`] compares two images and returns [`Finding`]s, each of a [`Rule`]. It takes for granted that
//! `buf breaking` watches what it can see: fields, types, numbers, names.

mod access;
pub mod allow;
pub mod buf;
mod effective;
mod elements;
mod fields;
mod http;
mod imports;
mod lifecycle;
mod policy;
mod reach;
mod reasons;
pub mod report;
pub mod rule;
mod rules;

use prost_reflect::DescriptorPool;

pub use self::elements::Place;
pub(crate) use self::elements::messages;
use self::elements::{Element, services};
use self::rule::Rule;

/// A change that breaks somebody, or a state that will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub rule: &'static Rule,
    /// The full name of the element: `scribemed.auth.v1.AuthService.GetKeySet`.
    pub element: String,
    /// Where it stands in the new contract; the file alone where it is gone.
    pub place: Place,
    /// The old and the new value.
    pub reason: String,
    /// The day alone brought it about: the same two contracts had no such finding on an earlier one.
    pub by_calendar: bool,
}

impl Finding {
    fn new(rule: &'static Rule, element: &impl Element, reason: String) -> Self {
        Self::at(rule, element.name(), element.place(), reason)
    }

    fn at(rule: &'static Rule, element: String, place: Place, reason: String) -> Self {
        Self {
            rule,
            element,
            place,
            reason,
            by_calendar: false,
        }
    }

    fn by_calendar(self) -> Self {
        Self {
            by_calendar: true,
            ..self
        }
    }
}

/// The two contracts and the day.
struct Change<'a> {
    old: &'a DescriptorPool,
    new: &'a DescriptorPool,
    today: &'a str,
}

/// What `new` breaks of what `old` promised, and what is wrong with `new` on the day `today` (`YYYY-MM-DD`), in the order of
/// files and lines.
pub fn check(old: &DescriptorPool, new: &DescriptorPool, today: &str) -> Vec<Finding> {
    let change = Change { old, new, today };
    let mut out = Vec::new();
    for was in services(old) {
        match new.get_service_by_name(was.full_name()) {
            None => lifecycle::service_gone(&was, &change, &mut out),
            Some(is) => {
                let gone = was
                    .methods()
                    .filter(|method| elements::method(&is, method.name()).is_none());
                gone.for_each(|method| lifecycle::method_gone(&method, &change, &mut out));
            }
        }
    }
    for is in services(new) {
        let was = old.get_service_by_name(is.full_name());
        match &was {
            None => lifecycle::born_service(&is, &mut out),
            Some(was) => {
                lifecycle::service(was, &is, &mut out);
                policy::service(was, &is, &mut out);
            }
        }
        for method in is.methods() {
            let known = was
                .as_ref()
                .and_then(|was| elements::method(was, method.name()));
            if let Some(known) = known {
                access::method(&known, &method, &mut out);
                policy::method(&known, &method, &mut out);
                http::method(&known, &method, &mut out);
                lifecycle::method(&known, &method, &mut out);
            } else {
                policy::born(&method, &mut out);
                if was.is_some() {
                    lifecycle::born_method(&method, &mut out);
                }
            }
        }
    }
    lifecycle::state(&change, &mut out);
    lifecycle::types(&change, &mut out);
    fields::check(&change, &mut out);
    reasons::check(&change, &mut out);
    imports::check(&change, &mut out);
    sort(&mut out);
    out
}

fn sort(findings: &mut Vec<Finding>) {
    let key = |finding: &Finding| {
        (
            finding.place.clone(),
            finding.element.clone(),
            finding.rule.id,
            finding.reason.clone(),
        )
    };
    findings.sort_by_key(key);
    findings.dedup();
}
