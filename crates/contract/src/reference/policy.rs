//! Where the parts of a policy come from.

use std::fmt;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use scribemed_codegen::options::{Fields as _, extension};

/// Who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The method's own option.
    Method,
    /// The defaults of its service.
    ServiceDefaults,
    /// The option of its service.
    Service,
    /// Nobody: what the product does where the contract is silent.
    Product,
    /// The operator's service config.
    Operator,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Method => "method option",
            Self::ServiceDefaults => "service default",
            Self::Service => "service option",
            Self::Product => "product default",
            Self::Operator => "service config",
        })
    }
}

/// Where each part of a method's policy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origins {
    /// `timeout`.
    pub timeout: Origin,
    /// `retry_policy` or `hedging_policy`.
    pub reattempt: Origin,
    /// `permissions` or `public`.
    pub access: Origin,
    /// `criticality`.
    pub criticality: Origin,
    /// `max_request_bytes`.
    pub max_request_bytes: Origin,
    /// `max_response_bytes`.
    pub max_response_bytes: Origin,
    /// `wait_for_ready`.
    pub wait_for_ready: Origin,
    /// `lifecycle`.
    pub lifecycle: Origin,
    /// The standard option `idempotency_level`.
    pub idempotency: Origin,
}

impl Origins {
    /// `service` is the option of the method's service.
    pub(super) fn read(
        pool: &DescriptorPool,
        method: &MethodDescriptor,
        service: &DynamicMessage,
    ) -> Self {
        let options = method.options();
        let own = extension(pool, &options, "scribemed.options.v1.method");
        let defaults = service.message("defaults");
        let sets = |policy: &Option<DynamicMessage>, names: &[&str]| {
            let policy = policy.as_ref();
            policy.is_some_and(|policy| names.iter().any(|name| policy.value(name).is_some()))
        };
        let origin = |names: &[&str]| {
            if sets(&own, names) {
                Origin::Method
            } else if sets(&defaults, names) {
                Origin::ServiceDefaults
            } else {
                Origin::Product
            }
        };
        Self {
            timeout: origin(&["timeout"]),
            reattempt: origin(&["retry_policy", "hedging_policy"]),
            access: origin(&["permissions", "public"]),
            criticality: origin(&["criticality"]),
            max_request_bytes: origin(&["max_request_bytes"]),
            max_response_bytes: origin(&["max_response_bytes"]),
            wait_for_ready: origin(&["wait_for_ready"]),
            // A method that says nothing has the end of its service.
            lifecycle: if sets(&own, &["lifecycle"]) {
                Origin::Method
            } else if service.value("lifecycle").is_some() {
                Origin::Service
            } else {
                Origin::Product
            },
            idempotency: if options.value("idempotency_level").is_some() {
                Origin::Method
            } else {
                Origin::Product
            },
        }
    }
}
