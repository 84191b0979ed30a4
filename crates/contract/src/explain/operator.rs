//! The operator's word over the contract's, read by the client's own reader: what it refuses is refused here.

use std::time::Duration;

use scribemed_client::service_config::ServiceConfig;
use scribemed_client::{CallPolicy, CodeSet, Reattempt as InForce};
use scribemed_codegen::policy::Reattempt;
use scribemed_rpc::policy::{
    Access, CircuitBreaker, Criticality, HedgingPolicy, Idempotency, LoadBalancing, MethodPolicy,
    Reattempt as Contract, RetryPolicy, ServicePolicy,
};
use serde_json::Value;
use tonic::Code;

use super::parts::{self, Part};
use crate::reference::{Method, Origin, Reference, Service};

/// Puts what `json` says in place of the contract's. Returns the notes of the reader.
pub(super) fn apply(
    reference: &Reference,
    service: &Service,
    method: &Method,
    json: &str,
    parts: &mut [Part],
) -> Result<Vec<String>, String> {
    // A channel is to all services behind a discovery name.
    let behind = reference
        .services()
        .filter(|other| other.policy.discovery_name == service.policy.discovery_name);
    let contracts: Vec<&'static ServicePolicy> = behind.map(contract).collect();
    let config = ServiceConfig::parse(json, &contracts).map_err(|error| error.to_string())?;
    let own = contracts
        .iter()
        .find(|contract| contract.name == service.full_name);
    let Some((own, table)) = own.and_then(|own| Some((own, own.method(&method.name)?))) else {
        return Ok(Vec::new());
    };
    let mut replace = |part: Part| {
        // A retry may take the place of a hedge.
        let of_repeats = ["retry_policy", "hedging_policy"];
        let same = |known: &&mut Part| {
            known.name == part.name
                || (of_repeats.contains(&known.name) && of_repeats.contains(&part.name))
        };
        if let Some(known) = parts.iter_mut().find(same) {
            let before = std::mem::replace(known, part);
            known.instead_of = Some(before.words);
        }
    };
    // It is JSON: the reader has taken it.
    let json: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    if let Some(entry) = entry(&json, &service.full_name, &method.name) {
        let says = |name: &str| entry.get(name).is_some_and(|value| !value.is_null());
        let policy = config.apply(own, table);
        for part in of_entry(&policy, entry, says) {
            replace(part);
        }
    }
    if let Some(throttling) = config.retry_throttling() {
        let values = (u64::from(throttling.max_tokens), throttling.token_ratio);
        replace(parts::throttling(Some(values), Origin::Operator));
    }
    if let Some(balancing) = config.load_balancing() {
        let name = match balancing {
            LoadBalancing::PeakEwma => "PeakEwma",
            LoadBalancing::RoundRobin => "RoundRobin",
            LoadBalancing::PickFirst => "PickFirst",
        };
        replace(parts::balancing(name, Origin::Operator));
    }
    Ok(config.notes().to_vec())
}

/// What an entry says, with the values as the reader has taken them.
fn of_entry(policy: &CallPolicy, entry: &Value, says: impl Fn(&str) -> bool) -> Vec<Part> {
    let from = Origin::Operator;
    let mut parts = Vec::new();
    if says("timeout") {
        parts.push(parts::timeout(policy.timeout, from));
    }
    if says("waitForReady") {
        parts.push(parts::wait_for_ready(policy.wait_for_ready, from));
    }
    let size = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    if says("maxRequestMessageBytes") {
        parts.push(parts::size(
            "max_request_bytes",
            size(policy.max_request_bytes),
            from,
        ));
    }
    if says("maxResponseMessageBytes") {
        parts.push(parts::size(
            "max_response_bytes",
            size(policy.max_response_bytes),
            from,
        ));
    }
    if says("retryPolicy") || says("hedgingPolicy") {
        parts.push(parts::reattempt(&reattempt(&policy.reattempt, entry), from));
    }
    parts
}

fn reattempt(in_force: &InForce, entry: &Value) -> Reattempt {
    match in_force {
        InForce::Never => Reattempt::Never,
        InForce::Retry(retry) => {
            let policy = entry.get("retryPolicy");
            let field = |name: &str| policy.and_then(|policy| policy.get(name));
            Reattempt::Retry {
                max_attempts: retry.max_attempts.into(),
                initial: field("initialBackoff").map(seconds).unwrap_or_default(),
                max: field("maxBackoff").map(seconds).unwrap_or_default(),
                multiplier: field("backoffMultiplier").map_or(2.0, ratio),
                codes: codes(retry.codes),
                per_attempt: retry.per_attempt_timeout,
            }
        }
        InForce::Hedge(hedge) => Reattempt::Hedge {
            max_attempts: hedge.max_attempts.into(),
            delay: hedge.delay,
            codes: codes(hedge.non_fatal),
        },
    }
}

fn codes(set: CodeSet) -> Vec<i32> {
    (0..17)
        .filter(|code| set.contains(Code::from_i32(*code)))
        .collect()
}

/// A duration that the reader has taken: `1.5s`.
fn seconds(value: &Value) -> Duration {
    let text = value.as_str().unwrap_or_default().trim_end_matches('s');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanos = format!("{fraction:0<9}");
    Duration::new(
        whole.parse().unwrap_or(0),
        nanos
            .get(..9)
            .and_then(|nanos| nanos.parse().ok())
            .unwrap_or(0),
    )
}

/// A number that the reader has taken, which may be text.
fn ratio(value: &Value) -> f32 {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or(2.0)
}

/// The entry that holds for a method: its own, else that of its service, else that of all.
fn entry<'a>(json: &'a Value, service: &str, method: &str) -> Option<&'a Value> {
    let entries = json.get("methodConfig")?.as_array()?;
    let text = |name: &Value, field: &str| {
        name.get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    [(service, method), (service, ""), ("", "")]
        .iter()
        .find_map(|wanted| {
            entries.iter().find(|entry| {
                let names = entry.get("name").and_then(Value::as_array);
                names.is_some_and(|names| {
                    names.iter().any(|name| {
                        (text(name, "service"), text(name, "method"))
                            == (wanted.0.to_owned(), wanted.1.to_owned())
                    })
                })
            })
        })
}

/// The table that code generation would write. It is never given back: this is a program that answers once and ends.
fn contract(service: &Service) -> &'static ServicePolicy {
    let methods: Vec<MethodPolicy> = service.methods.iter().map(table).collect();
    Box::leak(Box::new(ServicePolicy {
        name: leaked(&service.full_name),
        discovery_name: leaked(&service.policy.discovery_name),
        methods: Vec::leak(methods),
        // What the reader does not look at.
        retry_throttling: None,
        circuit_breaker: CircuitBreaker::DEFAULT,
        load_balancing: LoadBalancing::PeakEwma,
        lifecycle: None,
    }))
}

fn table(method: &Method) -> MethodPolicy {
    let policy = &method.policy;
    let size = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
    MethodPolicy {
        path: leaked(&method.path),
        name: leaked(&method.name),
        client_streaming: policy.descriptor.is_client_streaming(),
        server_streaming: policy.descriptor.is_server_streaming(),
        timeout: policy.timeout,
        idempotency: match policy.idempotency {
            "NoSideEffects" => Idempotency::NoSideEffects,
            "Idempotent" => Idempotency::Idempotent,
            _ => Idempotency::Unknown,
        },
        reattempt: repeats(&policy.reattempt),
        max_request_bytes: size(policy.max_request_bytes),
        max_response_bytes: size(policy.max_response_bytes),
        wait_for_ready: policy.wait_for_ready,
        // What the reader does not look at.
        access: Access::Public,
        criticality: Criticality::Critical,
        bulk_field: None,
        lifecycle: None,
    }
}

fn repeats(reattempt: &Reattempt) -> Contract {
    let attempts = |count: u64| u32::try_from(count).unwrap_or(1);
    let leaked = |codes: &[i32]| -> &'static [Code] {
        Vec::leak(codes.iter().map(|code| Code::from_i32(*code)).collect())
    };
    match reattempt {
        Reattempt::Never => Contract::Never,
        Reattempt::Retry {
            max_attempts,
            initial,
            max,
            multiplier,
            codes,
            per_attempt,
        } => Contract::Retry(RetryPolicy {
            max_attempts: attempts(*max_attempts),
            initial_backoff: *initial,
            max_backoff: *max,
            backoff_multiplier: *multiplier,
            retryable_status_codes: leaked(codes),
            per_attempt_timeout: *per_attempt,
        }),
        Reattempt::Hedge {
            max_attempts,
            delay,
            codes,
        } => Contract::Hedge(HedgingPolicy {
            max_attempts: attempts(*max_attempts),
            hedging_delay: *delay,
            non_fatal_status_codes: leaked(codes),
        }),
    }
}

fn leaked(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
