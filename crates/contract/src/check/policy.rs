//! How calls are made: deadlines, repeats, limits, importance, names.

use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use scribemed_codegen::options::Fields as _;

use super::Finding;
use super::effective::{Effective, Repeats, service_policy};
use super::rule;

const IDEMPOTENCY: [&str; 3] = ["IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"];
const CRITICALITY: [&str; 4] = ["CRITICAL_PLUS", "CRITICAL", "SHEDDABLE_PLUS", "SHEDDABLE"];

pub(super) fn service(old: &ServiceDescriptor, new: &ServiceDescriptor, out: &mut Vec<Finding>) {
    let name = |service: &ServiceDescriptor| {
        let policy = service_policy(service);
        policy
            .and_then(|policy| policy.text("discovery_name"))
            .unwrap_or_default()
    };
    let (was, is) = (name(old), name(new));
    if was != is && !was.is_empty() {
        let reason = format!("discovery_name: {was:?} -> {is:?}");
        out.push(Finding::new(&rule::DISCOVERY_NAME_CHANGED, new, reason));
    }
}

pub(super) fn method(old: &MethodDescriptor, new: &MethodDescriptor, out: &mut Vec<Finding>) {
    let (was, is) = (Effective::of(old), Effective::of(new));
    if let Some(timeout) = is.timeout
        && was.timeout.is_none_or(|was| timeout < was)
    {
        let before = was
            .timeout
            .map_or_else(|| "none".to_owned(), |was| format!("{was:?}"));
        let reason = format!("timeout: {before} -> {timeout:?}");
        out.push(Finding::new(&rule::TIMEOUT_SHORTENED, new, reason));
    }
    if was.idempotency != is.idempotency {
        let name = |level: u64| {
            let level = usize::try_from(level)
                .ok()
                .and_then(|level| IDEMPOTENCY.get(level));
            level.copied().unwrap_or("unknown")
        };
        let reason = format!(
            "idempotency_level: {} -> {}",
            name(was.idempotency),
            name(is.idempotency)
        );
        out.push(Finding::new(&rule::IDEMPOTENCY_CHANGED, new, reason));
    }
    if was.repeats.kind() != is.repeats.kind() {
        repeats(&is, new, &was.repeats.words(), out);
    }
    for (rule, name, was, is, breaks) in [
        (
            &rule::REQUEST_LIMIT_LOWERED,
            "max_request_bytes",
            was.max_request_bytes,
            is.max_request_bytes,
            is.max_request_bytes < was.max_request_bytes,
        ),
        (
            &rule::RESPONSE_LIMIT_RAISED,
            "max_response_bytes",
            was.max_response_bytes,
            is.max_response_bytes,
            is.max_response_bytes > was.max_response_bytes,
        ),
        (
            &rule::RESPONSE_LIMIT_LOWERED,
            "max_response_bytes",
            was.max_response_bytes,
            is.max_response_bytes,
            is.max_response_bytes < was.max_response_bytes,
        ),
    ] {
        if breaks {
            out.push(Finding::new(rule, new, format!("{name}: {was} -> {is}")));
        }
    }
    if is.criticality > was.criticality {
        let name = |rank: usize| CRITICALITY.get(rank).copied().unwrap_or("unknown");
        let reason = format!(
            "criticality: {} -> {}",
            name(was.criticality),
            name(is.criticality)
        );
        out.push(Finding::new(&rule::CRITICALITY_LOWERED, new, reason));
    }
}

/// A method that is new.
pub(super) fn born(new: &MethodDescriptor, out: &mut Vec<Finding>) {
    repeats(&Effective::of(new), new, "sent once", out);
}

fn repeats(is: &Effective, new: &MethodDescriptor, before: &str, out: &mut Vec<Finding>) {
    let rule = match is.repeats {
        Repeats::Never => return,
        Repeats::Retry(_) => &rule::RETRY_WITHOUT_IDEMPOTENCY,
        Repeats::Hedge(_) => &rule::HEDGING_WITHOUT_IDEMPOTENCY,
    };
    if is.idempotency == 0 {
        let reason = format!(
            "{before} -> {}, and idempotency_level is IDEMPOTENCY_UNKNOWN",
            is.repeats.words()
        );
        out.push(Finding::new(rule, new, reason));
    }
}
