//! How versions end.

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ServiceDescriptor};
use scribemed_codegen::lifecycle::is_day;
use scribemed_codegen::options::Fields as _;

use super::effective::{method_policy, service_policy};
use super::elements::{self, Element, enums, gone, messages};
use super::rule;
use super::{Change, Finding};

/// The announced end of something, as written.
#[derive(Clone)]
struct End {
    sunset: String,
    successor: String,
}

impl End {
    fn of(policy: Option<DynamicMessage>) -> Option<Self> {
        let lifecycle = policy?.message("lifecycle")?;
        Some(Self {
            sunset: lifecycle.text("sunset_on").unwrap_or_default(),
            successor: lifecycle.text("successor").unwrap_or_default(),
        })
    }

    fn of_service(service: &ServiceDescriptor) -> Option<Self> {
        Self::of(service_policy(service))
    }

    /// Its own, not that of its service.
    fn of_method(method: &MethodDescriptor) -> Option<Self> {
        Self::of(method_policy(method))
    }

    fn effective(method: &MethodDescriptor) -> Option<Self> {
        Self::of_method(method).or_else(|| Self::of_service(method.parent_service()))
    }

    fn day(&self) -> Option<&str> {
        is_day(&self.sunset).then_some(self.sunset.as_str())
    }
}

/// What is wrong with the new contract by itself, on this day.
pub(super) fn state(change: &Change<'_>, out: &mut Vec<Finding>) {
    for service in elements::services(change.new) {
        let end = End::of_service(&service);
        announced(
            &service,
            service.is_deprecated(),
            end.as_ref(),
            end.as_ref(),
            change,
            out,
        );
        for method in service.methods() {
            let own = End::of_method(&method);
            let effective = own.clone().or_else(|| end.clone());
            announced(
                &method,
                method.is_deprecated(),
                own.as_ref(),
                effective.as_ref(),
                change,
                out,
            );
        }
    }
}

fn announced(
    element: &impl Element,
    deprecated: bool,
    own: Option<&End>,
    effective: Option<&End>,
    change: &Change<'_>,
    out: &mut Vec<Finding>,
) {
    let mut report = |rule, reason: String| out.push(Finding::new(rule, element, reason));
    if deprecated && effective.and_then(End::day).is_none() {
        let sunset = effective.map_or("", |end| end.sunset.as_str());
        let reason = if sunset.is_empty() {
            "deprecated, without lifecycle.sunset_on".to_owned()
        } else {
            format!("lifecycle.sunset_on is {sunset:?}, which is no date")
        };
        report(&rule::DEPRECATION_WITHOUT_SUNSET, reason);
    }
    if deprecated && effective.is_none_or(|end| end.successor.is_empty()) {
        let reason = "deprecated, without lifecycle.successor".to_owned();
        report(&rule::DEPRECATION_WITHOUT_SUCCESSOR, reason);
    }
    let Some(own) = own else {
        return;
    };
    if !own.successor.is_empty() && !is_callable(change.new, &own.successor) {
        let reason = format!("lifecycle.successor is {:?}", own.successor);
        report(&rule::SUCCESSOR_UNRESOLVED, reason);
    }
    if let Some(day) = own.day()
        && day <= change.today
    {
        let reason = format!("its sunset was {day}, and today is {}", change.today);
        out.push(Finding::new(&rule::SUNSET_PASSED, element, reason).by_calendar());
    }
}

fn is_callable(pool: &DescriptorPool, name: &str) -> bool {
    let is_method = || {
        let (service, method) = name.rsplit_once('.')?;
        elements::method(&pool.get_service_by_name(service)?, method)
    };
    pool.get_service_by_name(name).is_some() || is_method().is_some()
}

pub(super) fn service(old: &ServiceDescriptor, new: &ServiceDescriptor, out: &mut Vec<Finding>) {
    withdrawn(old, new, out);
    sooner(
        End::of_service(old).as_ref(),
        End::of_service(new).as_ref(),
        new,
        out,
    );
}

pub(super) fn method(old: &MethodDescriptor, new: &MethodDescriptor, out: &mut Vec<Finding>) {
    withdrawn(old, new, out);
    // What both have from the service is told of the service.
    if End::of_method(old).is_some() || End::of_method(new).is_some() {
        sooner(
            End::effective(old).as_ref(),
            End::effective(new).as_ref(),
            new,
            out,
        );
    }
}

fn sooner(old: Option<&End>, new: Option<&End>, element: &impl Element, out: &mut Vec<Finding>) {
    if let (Some(was), Some(is)) = (old.and_then(End::day), new.and_then(End::day))
        && is < was
    {
        let reason = format!("lifecycle.sunset_on: {was} -> {is}");
        out.push(Finding::new(&rule::SUNSET_BROUGHT_FORWARD, element, reason));
    }
}

fn withdrawn(old: &impl Element, new: &impl Element, out: &mut Vec<Finding>) {
    if old.is_deprecated() && !new.is_deprecated() {
        let reason = "deprecated: true -> false".to_owned();
        out.push(Finding::new(&rule::DEPRECATION_WITHDRAWN, new, reason));
    }
}

/// Messages, fields, enums and their values can be deprecated, too.
pub(super) fn types(change: &Change<'_>, out: &mut Vec<Finding>) {
    for new in messages(change.new) {
        let Some(old) = change.old.get_message_by_name(new.full_name()) else {
            continue;
        };
        withdrawn(&old, &new, out);
        for field in new.fields() {
            if let Some(old) = old.get_field(field.number()) {
                withdrawn(&old, &field, out);
            }
        }
    }
    for new in enums(change.new) {
        let Some(old) = change.old.get_enum_by_name(new.full_name()) else {
            continue;
        };
        withdrawn(&old, &new, out);
        for value in new.values() {
            if let Some(old) = old.get_value(value.number()) {
                withdrawn(&old, &value, out);
            }
        }
    }
}

/// A service that is new.
pub(super) fn born_service(new: &ServiceDescriptor, out: &mut Vec<Finding>) {
    if new.is_deprecated() {
        let reason = "new, and deprecated".to_owned();
        out.push(Finding::new(&rule::BORN_DEPRECATED, new, reason));
    }
}

/// A method that is new in a service that is not.
pub(super) fn born_method(new: &MethodDescriptor, out: &mut Vec<Finding>) {
    let reason = if new.is_deprecated() {
        "new, and deprecated"
    } else if new.parent_service().is_deprecated() {
        "new, in a service that is deprecated"
    } else {
        return;
    };
    out.push(Finding::new(&rule::BORN_DEPRECATED, new, reason.to_owned()));
}

pub(super) fn service_gone(old: &ServiceDescriptor, change: &Change<'_>, out: &mut Vec<Finding>) {
    let end = End::of_service(old);
    let has_own = |method: &MethodDescriptor| End::of_method(method).is_some();
    if end.is_some() || !old.methods().any(|method| has_own(&method)) {
        removed(old, end.as_ref(), change, out);
        for method in old.methods().filter(has_own) {
            removed(&method, End::of_method(&method).as_ref(), change, out);
        }
    } else {
        for method in old.methods() {
            removed(&method, End::effective(&method).as_ref(), change, out);
        }
    }
}

pub(super) fn method_gone(old: &MethodDescriptor, change: &Change<'_>, out: &mut Vec<Finding>) {
    removed(old, End::effective(old).as_ref(), change, out);
}

fn removed(old: &impl Element, end: Option<&End>, change: &Change<'_>, out: &mut Vec<Finding>) {
    let (rule, reason) = match end.and_then(End::day) {
        Some(day) if day <= change.today => return,
        Some(day) => (
            &rule::REMOVED_BEFORE_SUNSET,
            format!(
                "removed; its sunset is {day}, and today is {}",
                change.today
            ),
        ),
        None => (
            &rule::REMOVED_UNANNOUNCED,
            "removed; no sunset was announced".to_owned(),
        ),
    };
    let place = gone(old.file().name());
    out.push(Finding::at(rule, old.name(), place, reason));
}
