//! Writes the policy table of a service, and what ties its client and server to it.

use std::fmt::Write as _;
use std::time::Duration;

use heck::{ToShoutySnakeCase as _, ToSnakeCase as _};
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

use crate::lifecycle::Lifecycle;
use crate::options::{Fields as _, extension};
use crate::policy::{Method, Reattempt, Service};

const RPC: &str = "::scribemed_rpc";

/// The Rust text for `service`, to stand in the module of its package.
pub(crate) fn render(pool: &DescriptorPool, service: &Service) -> String {
    let name = service.descriptor.name();
    let constant = format!("{}_POLICY", name.to_shouty_snake_case());
    let snake = name.to_snake_case();
    let mut out = String::new();
    let throttling = service.throttling.map_or("None".to_owned(), |(tokens, ratio)| {
        format!("Some({RPC}::policy::RetryThrottling {{ max_tokens: {tokens}, token_ratio: {ratio:?}_f32 }})")
    });
    let breaker = service.breaker.as_ref().map_or(
        format!("{RPC}::policy::CircuitBreaker::DEFAULT"),
        |breaker| {
            format!(
                "{RPC}::policy::CircuitBreaker {{ failure_threshold: {}, success_threshold: {}, open_for: {} }}",
                breaker.failures,
                breaker.successes,
                duration(breaker.open_for)
            )
        },
    );
    let methods: String = service
        .methods
        .iter()
        .map(|method| render_method(pool, method))
        .collect();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        r"
/// What the contract says of `{full}`.
pub const {constant}: {RPC}::ServicePolicy = {RPC}::ServicePolicy {{
    name: {full:?},
    discovery_name: {discovery:?},
    methods: &[{methods}],
    retry_throttling: {throttling},
    circuit_breaker: {breaker},
    load_balancing: {RPC}::policy::LoadBalancing::{balancing},
    lifecycle: {lifecycle},
}};

impl<T> {RPC}::ServerContract for {snake}_server::{name}Server<T> {{
    const POLICY: &'static {RPC}::ServicePolicy = &{constant};

    fn with_contract_limits(self) -> Self {{
        self.max_decoding_message_size({constant}.max_request_bytes())
            .max_encoding_message_size({constant}.max_response_bytes())
    }}

    fn with_request_limit(self, bytes: usize) -> Self {{
        self.max_decoding_message_size(bytes)
    }}
}}

impl<C> {RPC}::ClientContract<C> for {snake}_client::{name}Client<C>
where
    C: ::tonic::client::GrpcService<::tonic::body::Body>,
    C::Error: Into<::tonic::codegen::StdError>,
    C::ResponseBody: ::tonic::codegen::Body<Data = ::tonic::codegen::Bytes> + Send + 'static,
    <C::ResponseBody as ::tonic::codegen::Body>::Error: Into<::tonic::codegen::StdError> + Send,
{{
    const POLICY: &'static {RPC}::ServicePolicy = &{constant};

    fn over(channel: C) -> Self {{
        Self::new(channel)
            .max_decoding_message_size({constant}.max_response_bytes())
            .max_encoding_message_size({constant}.max_request_bytes())
    }}
}}
",
        full = service.descriptor.full_name(),
        discovery = service.discovery_name,
        balancing = service.balancing,
        lifecycle = lifecycle(service.lifecycle.as_ref()),
    );
    out
}

fn render_method(pool: &DescriptorPool, method: &Method) -> String {
    let descriptor = &method.descriptor;
    let access = method
        .permissions
        .as_ref()
        .map_or(format!("{RPC}::policy::Access::Public"), |permissions| {
            format!("{RPC}::policy::Access::Permissions(&{permissions:?})")
        });
    let bulk = bulk_field(pool, &descriptor.input()).map_or("None".to_owned(), |(path, max)| {
        format!("Some({RPC}::policy::BulkField {{ path: {path:?}, max_bytes: {max} }})")
    });
    format!(
        r"
        {RPC}::MethodPolicy {{
            path: {path:?},
            name: {name:?},
            client_streaming: {client_streaming},
            server_streaming: {server_streaming},
            timeout: {timeout},
            idempotency: {RPC}::policy::Idempotency::{idempotency},
            reattempt: {reattempt},
            access: {access},
            criticality: {RPC}::policy::Criticality::{criticality},
            max_request_bytes: {max_request_bytes},
            max_response_bytes: {max_response_bytes},
            bulk_field: {bulk},
            lifecycle: {lifecycle},
            wait_for_ready: {wait_for_ready},
        }},",
        path = format!(
            "/{}/{}",
            descriptor.parent_service().full_name(),
            descriptor.name()
        ),
        name = descriptor.name(),
        client_streaming = descriptor.is_client_streaming(),
        server_streaming = descriptor.is_server_streaming(),
        timeout = duration(method.timeout),
        idempotency = method.idempotency,
        reattempt = reattempt(&method.reattempt),
        criticality = method.criticality,
        max_request_bytes = method.max_request_bytes,
        max_response_bytes = method.max_response_bytes,
        lifecycle = lifecycle(method.lifecycle.as_ref()),
        wait_for_ready = method.wait_for_ready,
    )
}

fn reattempt(reattempt: &Reattempt) -> String {
    match reattempt {
        Reattempt::Never => format!("{RPC}::policy::Reattempt::Never"),
        Reattempt::Retry {
            max_attempts,
            initial,
            max,
            multiplier,
            codes,
            per_attempt,
        } => format!(
            "{RPC}::policy::Reattempt::Retry({RPC}::policy::RetryPolicy {{ max_attempts: {max_attempts}, \
             initial_backoff: {}, max_backoff: {}, backoff_multiplier: {multiplier:?}_f32, \
             retryable_status_codes: {}, per_attempt_timeout: {} }})",
            duration(*initial),
            duration(*max),
            code_list(codes),
            per_attempt.map_or("None".to_owned(), |timeout| format!(
                "Some({})",
                duration(timeout)
            )),
        ),
        Reattempt::Hedge {
            max_attempts,
            delay,
            codes,
        } => format!(
            "{RPC}::policy::Reattempt::Hedge({RPC}::policy::HedgingPolicy {{ max_attempts: {max_attempts}, \
             hedging_delay: {}, non_fatal_status_codes: {} }})",
            duration(*delay),
            code_list(codes),
        ),
    }
}

fn code_list(codes: &[i32]) -> String {
    const NAMES: [&str; 17] = [
        "Ok",
        "Cancelled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    ];
    let names: Vec<String> = codes
        .iter()
        .filter_map(|code| NAMES.get(usize::try_from(*code).ok()?))
        .map(|name| format!("::tonic::Code::{name}"))
        .collect();
    format!("&[{}]", names.join(", "))
}

fn lifecycle(lifecycle: Option<&Lifecycle>) -> String {
    lifecycle.map_or("None".to_owned(), |lifecycle| {
        format!(
            "Some({RPC}::policy::Lifecycle {{ deprecated_on: {:?}, sunset_on: {:?}, successor: {:?}, deprecation: {:?}, \
             sunset: {:?}, link: {:?}, sunset_unix: {} }})",
            lifecycle.deprecated_on,
            lifecycle.sunset_on,
            lifecycle.successor,
            lifecycle.deprecation,
            lifecycle.sunset,
            lifecycle.link,
            lifecycle.sunset_unix
        )
    })
}

fn duration(duration: Duration) -> String {
    format!(
        "::core::time::Duration::new({}, {})",
        duration.as_secs(),
        duration.subsec_nanos()
    )
}

/// The field of a request that may hold the most bytes, by its own rule.
fn bulk_field(pool: &DescriptorPool, request: &MessageDescriptor) -> Option<(String, u64)> {
    request
        .fields()
        .filter(|field| matches!(field.kind(), Kind::Bytes | Kind::String) && !field.is_list())
        .filter_map(|field| {
            let rules = extension(pool, &field.options(), "buf.validate.field")?;
            let rules = rules.message("bytes").or_else(|| rules.message("string"))?;
            Some((field.name().to_owned(), rules.number("max_len")?))
        })
        .max_by_key(|(_, max)| *max)
        // A field of a few kilobytes is never why a message is too large.
        .filter(|(_, max)| *max >= 64 * 1024)
}
