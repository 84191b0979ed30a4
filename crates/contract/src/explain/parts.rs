//! The parts of a policy.

use scribemed_codegen::lifecycle::Lifecycle;
use scribemed_codegen::policy::Reattempt;

use crate::json::Json;
use crate::reference::{Method, Origin, Service, bytes, code_name, duration, duration_json};

/// A part of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// As the option is called: `timeout`.
    pub name: &'static str,
    /// For people.
    pub words: String,
    /// For programs.
    pub value: Json,
    /// Who says so.
    pub origin: Origin,
    /// What the contract has, where the operator says otherwise.
    pub instead_of: Option<String>,
}

impl Part {
    pub(super) fn new(
        name: &'static str,
        words: impl Into<String>,
        value: impl Into<Json>,
        origin: Origin,
    ) -> Self {
        Self {
            name,
            words: words.into(),
            value: value.into(),
            origin,
            instead_of: None,
        }
    }
}

/// All parts, as the contract has them.
pub fn of(service: &Service, method: &Method) -> Vec<Part> {
    let policy = &method.policy;
    let from = &method.origins;
    let mut parts = vec![
        timeout(policy.timeout, from.timeout),
        Part::new(
            "idempotency_level",
            idempotency(policy.idempotency),
            idempotency_json(policy.idempotency),
            from.idempotency,
        ),
        reattempt(&policy.reattempt, from.reattempt),
        match &policy.permissions {
            None => Part::new(
                "permissions",
                "public: no token is asked for",
                Json::List(Vec::new()),
                from.access,
            ),
            Some(names) => Part::new(
                "permissions",
                names.join(", "),
                Json::texts(names.clone()),
                from.access,
            ),
        },
        Part::new(
            "criticality",
            criticality(policy.criticality),
            criticality(policy.criticality),
            from.criticality,
        ),
        size(
            "max_request_bytes",
            policy.max_request_bytes,
            from.max_request_bytes,
        ),
        size(
            "max_response_bytes",
            policy.max_response_bytes,
            from.max_response_bytes,
        ),
        wait_for_ready(policy.wait_for_ready, from.wait_for_ready),
    ];
    parts.extend(of_service(service));
    parts.push(lifecycle(policy.lifecycle.as_ref(), from.lifecycle));
    parts
}

pub(super) fn timeout(timeout: std::time::Duration, origin: Origin) -> Part {
    Part::new("timeout", duration(timeout), duration_json(timeout), origin)
}

pub(super) fn size(name: &'static str, size: u64, origin: Origin) -> Part {
    Part::new(name, bytes(size), size, origin)
}

pub(super) fn wait_for_ready(waits: bool, origin: Origin) -> Part {
    let words = if waits {
        "waits for an endpoint"
    } else {
        "fails at once without an endpoint"
    };
    Part::new("wait_for_ready", words, waits, origin)
}

/// What holds for every method of the service.
fn of_service(service: &Service) -> Vec<Part> {
    let policy = &service.policy;
    let origin = |is_set: bool| {
        if is_set {
            Origin::Service
        } else {
            Origin::Product
        }
    };
    let breaker = policy.breaker.as_ref();
    let (failures, successes) =
        breaker.map_or((5, 2), |breaker| (breaker.failures, breaker.successes));
    let open_for = breaker.map_or(std::time::Duration::from_secs(30), |breaker| {
        breaker.open_for
    });
    vec![
        throttling(policy.throttling, origin(policy.throttling.is_some())),
        Part::new(
            "circuit_breaker",
            format!(
                "opens after {failures} failures in a row for {}, closes after {successes} successes",
                duration(open_for)
            ),
            Json::object([
                ("failure_threshold", failures.into()),
                ("success_threshold", successes.into()),
                ("open_for", duration_json(open_for).into()),
            ]),
            origin(breaker.is_some()),
        ),
        // Whether the contract asks for the default or says nothing is the same to everybody.
        balancing(policy.balancing, origin(policy.balancing != "PeakEwma")),
    ]
}

pub(super) fn throttling(throttling: Option<(u64, f32)>, origin: Origin) -> Part {
    match throttling {
        Some((tokens, ratio)) => Part::new(
            "retry_throttling",
            format!("{tokens} tokens, a success gives back {ratio}"),
            Json::object([
                ("max_tokens", tokens.into()),
                ("token_ratio", decimal(ratio)),
            ]),
            origin,
        ),
        None => Part::new("retry_throttling", "none", serde_json::Value::Null, origin),
    }
}

/// The decimal that was written, and not the binary fraction beside it.
fn decimal(value: f32) -> Json {
    value
        .to_string()
        .parse::<f64>()
        .unwrap_or_else(|_| f64::from(value))
        .into()
}

pub(super) fn balancing(name: &str, origin: Origin) -> Part {
    let words = match name {
        "RoundRobin" => "round_robin",
        "PickFirst" => "pick_first",
        _ => "peak_ewma",
    };
    Part::new("load_balancing", words, words, origin)
}

/// Whether and how a failed call is sent again.
pub(crate) fn reattempt(reattempt: &Reattempt, origin: Origin) -> Part {
    let names = |codes: &[i32]| {
        codes
            .iter()
            .map(|code| code_name(*code))
            .collect::<Vec<_>>()
    };
    match reattempt {
        Reattempt::Never => Part::new("retry_policy", "sent once", serde_json::Value::Null, origin),
        Reattempt::Retry {
            max_attempts,
            initial,
            max,
            multiplier,
            codes,
            per_attempt,
        } => {
            let mut words = format!(
                "up to {max_attempts} attempts on {}; waits {} × {multiplier}, at most {}",
                names(codes).join(", "),
                duration(*initial),
                duration(*max)
            );
            let mut value = Json::object([
                ("max_attempts", (*max_attempts).into()),
                ("initial_backoff", duration_json(*initial).into()),
                ("max_backoff", duration_json(*max).into()),
                ("backoff_multiplier", decimal(*multiplier)),
                ("retryable_status_codes", Json::texts(names(codes))),
            ]);
            if let Some(longest) = per_attempt {
                words.push_str(&format!(
                    "; an attempt takes {} at most",
                    duration(*longest)
                ));
                value.put("per_attempt_timeout", duration_json(*longest));
            }
            Part::new("retry_policy", words, value, origin)
        }
        Reattempt::Hedge {
            max_attempts,
            delay,
            codes,
        } => {
            let mut words = format!(
                "up to {max_attempts} attempts, one more every {}",
                duration(*delay)
            );
            if !codes.is_empty() {
                words.push_str(&format!("; at once on {}", names(codes).join(", ")));
            }
            let value = Json::object([
                ("max_attempts", (*max_attempts).into()),
                ("hedging_delay", duration_json(*delay).into()),
                ("non_fatal_status_codes", Json::texts(names(codes))),
            ]);
            Part::new("hedging_policy", words, value, origin)
        }
    }
}

fn lifecycle(lifecycle: Option<&Lifecycle>, origin: Origin) -> Part {
    match lifecycle {
        None => Part::new(
            "lifecycle",
            "no end is announced",
            serde_json::Value::Null,
            origin,
        ),
        Some(end) => Part::new(
            "lifecycle",
            format!(
                "deprecated since {}, gone from {}; use {}",
                end.deprecated_on, end.sunset_on, end.successor
            ),
            Json::object([
                ("deprecated_on", end.deprecated_on.clone().into()),
                ("sunset_on", end.sunset_on.clone().into()),
                ("successor", end.successor.clone().into()),
            ]),
            origin,
        ),
    }
}

/// `NoSideEffects` for people.
pub(crate) fn idempotency(level: &str) -> &'static str {
    match level {
        "NoSideEffects" => "has no side effects",
        "Idempotent" => "idempotent",
        _ => "not idempotent",
    }
}

fn idempotency_json(level: &str) -> &'static str {
    match level {
        "NoSideEffects" => "NO_SIDE_EFFECTS",
        "Idempotent" => "IDEMPOTENT",
        _ => "IDEMPOTENCY_UNKNOWN",
    }
}

/// `CriticalPlus` as the enum has it.
pub(crate) fn criticality(level: &str) -> &'static str {
    match level {
        "CriticalPlus" => "CRITICAL_PLUS",
        "SheddablePlus" => "SHEDDABLE_PLUS",
        "Sheddable" => "SHEDDABLE",
        _ => "CRITICAL",
    }
}
