//! What holds for a method: its own options over the defaults of its service. Read without judging, because a contract that
//! the build refuses is compared, too.

use std::time::Duration;

use prost_reflect::{DynamicMessage, MethodDescriptor, ServiceDescriptor};
use scribemed_codegen::options::{Fields as _, extension};

const SERVICE: &str = "scribemed.options.v1.service";
const METHOD: &str = "scribemed.options.v1.method";
const DEFAULT_BYTES: u64 = 4 * 1024 * 1024;

/// What holds for a method.
pub(super) struct Effective {
    pub(super) timeout: Option<Duration>,
    /// As in the descriptor: 0 unknown, 1 no side effects, 2 idempotent.
    pub(super) idempotency: u64,
    pub(super) repeats: Repeats,
    pub(super) access: Access,
    /// 0 is the most important.
    pub(super) criticality: usize,
    pub(super) max_request_bytes: u64,
    pub(super) max_response_bytes: u64,
}

/// Whether a call is sent again; with how many attempts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeats {
    Never,
    Retry(u64),
    Hedge(u64),
}

/// Who may call.
pub(super) enum Access {
    /// It does not say.
    Unsaid,
    Public,
    Permissions(Vec<String>),
}

impl Repeats {
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Never => 0,
            Self::Retry(_) => 1,
            Self::Hedge(_) => 2,
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Never => "sent once".to_owned(),
            Self::Retry(attempts) => format!("retried, {attempts} attempts"),
            Self::Hedge(attempts) => format!("hedged, {attempts} attempts"),
        }
    }
}

/// The option of a service.
pub(super) fn service_policy(service: &ServiceDescriptor) -> Option<DynamicMessage> {
    extension(service.parent_pool(), &service.options(), SERVICE)
}

/// The option of a method.
pub(super) fn method_policy(method: &MethodDescriptor) -> Option<DynamicMessage> {
    extension(method.parent_pool(), &method.options(), METHOD)
}

impl Effective {
    pub(super) fn of(method: &MethodDescriptor) -> Self {
        let own = method_policy(method);
        let service = service_policy(method.parent_service());
        let defaults = service.and_then(|service| service.message("defaults"));
        // What is one choice is taken from one place.
        let source = |names: &[&str]| {
            let sets =
                |policy: &&DynamicMessage| names.iter().any(|name| policy.value(name).is_some());
            own.as_ref()
                .filter(sets)
                .or_else(|| defaults.as_ref().filter(sets))
        };
        let bytes = |name: &str| {
            let limit = source(&[name]).and_then(|policy| policy.number(name));
            limit.filter(|limit| *limit > 0).unwrap_or(DEFAULT_BYTES)
        };
        let criticality =
            source(&["criticality"]).and_then(|policy| policy.enumerator("criticality"));
        let timeout = source(&["timeout"]).and_then(|policy| policy.duration("timeout"));
        Self {
            timeout: timeout.and_then(Result::ok),
            idempotency: method.options().number("idempotency_level").unwrap_or(0),
            repeats: source(&["retry_policy", "hedging_policy"]).map_or(Repeats::Never, repeats),
            access: source(&["public", "permissions"]).map_or(Access::Unsaid, access),
            criticality: match criticality {
                Some(1) => 0,
                Some(3) => 2,
                Some(4) => 3,
                _ => 1,
            },
            max_request_bytes: bytes("max_request_bytes"),
            max_response_bytes: bytes("max_response_bytes"),
        }
    }
}

fn repeats(policy: &DynamicMessage) -> Repeats {
    let attempts = |policy: DynamicMessage| policy.number("max_attempts").unwrap_or(0);
    let hedged = policy.message("hedging_policy").map(attempts);
    let retried = policy.message("retry_policy").map(attempts);
    match (hedged, retried) {
        (Some(attempts), _) if attempts > 1 => Repeats::Hedge(attempts),
        (_, Some(attempts)) if attempts > 1 => Repeats::Retry(attempts),
        _ => Repeats::Never,
    }
}

fn access(policy: &DynamicMessage) -> Access {
    if policy.flag("public") == Some(true) {
        return Access::Public;
    }
    let permissions = policy.list("permissions");
    let names = permissions
        .iter()
        .filter_map(|name| name.as_str().map(str::to_owned));
    Access::Permissions(names.collect())
}
