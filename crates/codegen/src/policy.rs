//! What the options of a service mean, checked.

use std::time::Duration;

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, ServiceDescriptor, Value};
use regex::Regex;

use crate::error::Problem;
use crate::lifecycle::{self, Lifecycle};
use crate::options::{Fields as _, extension};

const SERVICE: &str = "scribemed.options.v1.service";
const METHOD: &str = "scribemed.options.v1.method";
const DEFAULT_MESSAGE_BYTES: u64 = 4 * 1024 * 1024;

/// A service as its options have it, defaults filled in.
#[derive(Debug)]
pub struct Service {
    /// The service.
    pub descriptor: ServiceDescriptor,
    /// The name by which callers find it, and the audience of its tokens.
    pub discovery_name: String,
    /// Its methods, in the order of the file.
    pub methods: Vec<Method>,
    /// `max_tokens` and `token_ratio` (gRFC A6).
    pub throttling: Option<(u64, f32)>,
    /// The circuit breaker, if the contract asks for one.
    pub breaker: Option<Breaker>,
    /// `PeakEwma`, `RoundRobin` or `PickFirst`.
    pub balancing: &'static str,
    /// The full names of the methods that the service calls itself, in the order of the file.
    pub calls: Vec<String>,
    /// The announced end, if there is one.
    pub lifecycle: Option<Lifecycle>,
}

/// A method as its options and its service's defaults have it.
#[derive(Debug)]
pub struct Method {
    /// The method.
    pub descriptor: MethodDescriptor,
    /// The longest that a call may take.
    pub timeout: Duration,
    /// `NoSideEffects`, `Idempotent` or `Unknown`.
    pub idempotency: &'static str,
    /// Whether and how a failed call is sent again.
    pub reattempt: Reattempt,
    /// What the caller's token must grant, all of them; `None`: public.
    pub permissions: Option<Vec<String>>,
    /// `CriticalPlus`, `Critical`, `SheddablePlus` or `Sheddable`.
    pub criticality: &'static str,
    /// The largest request message, in bytes.
    pub max_request_bytes: u64,
    /// The largest response message, in bytes.
    pub max_response_bytes: u64,
    /// The announced end, if there is one.
    pub lifecycle: Option<Lifecycle>,
    /// Whether a call waits for a healthy endpoint until its deadline.
    pub wait_for_ready: bool,
}

/// Whether and how a failed call is sent again (gRFC A6).
#[derive(Debug)]
pub enum Reattempt {
    /// It is sent once.
    Never,
    /// One attempt after the other.
    Retry {
        /// All attempts, the first included: 2 to 5.
        max_attempts: u64,
        /// The wait before the second attempt.
        initial: Duration,
        /// The longest wait.
        max: Duration,
        /// Growth from wait to wait.
        multiplier: f32,
        /// The numbers of the codes that are worth another attempt.
        codes: Vec<i32>,
        /// The longest that one attempt may take.
        per_attempt: Option<Duration>,
    },
    /// Attempts in parallel.
    Hedge {
        /// All attempts, the first included: 2 to 5.
        max_attempts: u64,
        /// The wait before each further attempt.
        delay: Duration,
        /// The numbers of the codes that send the next attempt at once.
        codes: Vec<i32>,
    },
}

/// When calls to a failing service stop.
#[derive(Debug)]
pub struct Breaker {
    /// Failures in a row that open it.
    pub failures: u64,
    /// Successes in a row that close it again.
    pub successes: u64,
    /// How long it stays open.
    pub open_for: Duration,
}

/// Reads the options of `service`. What is wrong goes to `problems`; `None` where nothing can be generated.
pub fn read(
    pool: &DescriptorPool,
    service: &ServiceDescriptor,
    problems: &mut Vec<Problem>,
) -> Option<Service> {
    let before = problems.len();
    let file = service.parent_file();
    let mut report = |message: String| {
        problems.push(Problem::of(&file, service.full_name(), message));
    };
    let options = service.options();
    let Some(policy) = extension(pool, &options, SERVICE) else {
        report(format!(
            "has no `option ({SERVICE})`; give it at least a discovery_name"
        ));
        return None;
    };
    let discovery_name = policy.text("discovery_name").unwrap_or_default();
    if !matches(r"^[a-z][a-z0-9-]{0,62}$", &discovery_name) {
        report(format!(
            "discovery_name is {discovery_name:?}; it must be lower-case letters, digits and hyphens, as `transcription`"
        ));
    }
    let throttling = policy.message("retry_throttling").map(|throttling| {
        let tokens = throttling.number("max_tokens").unwrap_or(0);
        let ratio = throttling.float("token_ratio").unwrap_or(0.0);
        if !(1..=1000).contains(&tokens) || ratio <= 0.0 {
            report(
                "retry_throttling needs max_tokens from 1 to 1000 and a token_ratio above 0"
                    .to_owned(),
            );
        }
        (tokens, ratio)
    });
    let breaker = policy
        .message("circuit_breaker")
        .map(|message| breaker(&message, &mut report));
    let balancing = match policy.enumerator("load_balancing").unwrap_or(0) {
        0 | 1 => "PeakEwma",
        2 => "RoundRobin",
        3 => "PickFirst",
        other => {
            report(format!(
                "load_balancing is {other}, which is none of LOAD_BALANCING_PEAK_EWMA, LOAD_BALANCING_ROUND_ROBIN and \
                 LOAD_BALANCING_PICK_FIRST"
            ));
            ""
        }
    };
    let calls = calls(pool, &policy, &mut report);
    let lifecycle = lifecycle::read(pool, Some(&policy), is_deprecated(&options), &mut report);
    let defaults = policy.message("defaults");
    let methods = service
        .methods()
        .filter_map(|method| {
            read_method(
                pool,
                &method,
                defaults.as_ref(),
                lifecycle.as_ref(),
                problems,
            )
        })
        .collect();
    (problems.len() == before).then(|| Service {
        descriptor: service.clone(),
        discovery_name,
        methods,
        throttling,
        breaker,
        balancing,
        calls,
        lifecycle,
    })
}

/// What the service says that it calls. Each must be a method that is compiled together with it.
fn calls(
    pool: &DescriptorPool,
    policy: &DynamicMessage,
    report: &mut impl FnMut(String),
) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for value in policy.list("calls") {
        let name = value.as_str().unwrap_or_default();
        let found = name.rsplit_once('.').is_some_and(|(service, method)| {
            let mut methods = pool
                .get_service_by_name(service)
                .into_iter()
                .flat_map(|service| service.methods().collect::<Vec<_>>());
            methods.any(|found| found.name() == method)
        });
        if !found {
            report(format!(
                "calls {name:?}, but there is no method of this name; write its full name, as \
                 \"scribemed.auth.v1.AuthService.GetKeySet\""
            ));
        } else if calls.iter().any(|known| known == name) {
            report(format!("names {name} in calls twice; once is enough"));
        } else {
            calls.push(name.to_owned());
        }
    }
    calls
}

/// What a circuit breaker does not say is its default.
fn breaker(message: &DynamicMessage, report: &mut impl FnMut(String)) -> Breaker {
    let mut threshold = |name: &str, default: u64| {
        let value = message.number(name).unwrap_or(default);
        if value == 0 {
            report(format!(
                "circuit_breaker.{name} is 0; it must be at least 1, or left out for {default}"
            ));
        }
        value
    };
    let failures = threshold("failure_threshold", 5);
    let successes = threshold("success_threshold", 2);
    let open_for = match message.duration("open_for") {
        None => Duration::from_secs(30),
        Some(Ok(open_for)) => {
            if open_for.is_zero() {
                report(
                    "circuit_breaker.open_for is 0; it must be above 0, or left out for 30 s"
                        .to_owned(),
                );
            }
            open_for
        }
        Some(Err(error)) => {
            report(format!("circuit_breaker: {error}"));
            Duration::ZERO
        }
    };
    Breaker {
        failures,
        successes,
        open_for,
    }
}

fn read_method(
    pool: &DescriptorPool,
    method: &MethodDescriptor,
    defaults: Option<&DynamicMessage>,
    service_lifecycle: Option<&Lifecycle>,
    problems: &mut Vec<Problem>,
) -> Option<Method> {
    let before = problems.len();
    let file = method.parent_file();
    let mut report = |message: String| {
        problems.push(Problem::of(&file, method.full_name(), message));
    };
    let options = method.options();
    let own = extension(pool, &options, METHOD);
    // A field that the method sets wins over the service's default.
    let source = |name: &str| {
        own.as_ref()
            .filter(|own| own.value(name).is_some())
            .or_else(|| defaults.filter(|defaults| defaults.value(name).is_some()))
    };

    let timeout = match source("timeout").and_then(|policy| policy.duration("timeout")) {
        Some(Ok(timeout)) if !timeout.is_zero() => timeout,
        Some(Err(error)) => {
            report(error);
            Duration::ZERO
        }
        Some(Ok(_)) | None => {
            report(format!(
                "has no timeout; write `option ({METHOD}) = {{timeout: {{seconds: 5}}}}`, or set it in the service's defaults"
            ));
            Duration::ZERO
        }
    };

    let (idempotency, repeatable) = match options.number("idempotency_level").unwrap_or(0) {
        1 => ("NoSideEffects", true),
        2 => ("Idempotent", true),
        _ => ("Unknown", false),
    };
    // The two are one choice: a method that sets either does not inherit the other.
    let chooses = |policy: &&DynamicMessage| {
        policy.value("retry_policy").is_some() || policy.value("hedging_policy").is_some()
    };
    let reattempt = own
        .as_ref()
        .filter(chooses)
        .or_else(|| defaults.filter(chooses))
        .map_or(Reattempt::Never, |policy| reattempt(policy, &mut report));
    if !matches!(reattempt, Reattempt::Never) && !repeatable {
        report(
            "is retried or hedged but has no idempotency_level; set `option idempotency_level` to NO_SIDE_EFFECTS or \
             IDEMPOTENT if a second execution is harmless, else opt out with `retry_policy: {max_attempts: 1}`"
                .to_owned(),
        );
    }
    if matches!(reattempt, Reattempt::Hedge { .. }) && method.is_client_streaming() {
        report(
            "is hedged but its caller sends a stream, of which no second copy can be sent in time; give it a \
             retry_policy, which keeps what was sent as far as it can, or opt out with `retry_policy: {max_attempts: 1}`"
                .to_owned(),
        );
    }

    let permissions = access(own.as_ref(), defaults, &mut report);
    let criticality = match source("criticality")
        .and_then(|policy| policy.enumerator("criticality"))
        .unwrap_or(0)
    {
        1 => "CriticalPlus",
        0 | 2 => "Critical",
        3 => "SheddablePlus",
        4 => "Sheddable",
        other => {
            report(format!(
                "criticality is {other}, which is none of the enum's; take one from CRITICALITY_CRITICAL_PLUS to \
                 CRITICALITY_SHEDDABLE"
            ));
            ""
        }
    };
    let size = |name: &str| {
        source(name)
            .and_then(|policy| policy.number(name))
            .unwrap_or(DEFAULT_MESSAGE_BYTES)
    };
    let (max_request_bytes, max_response_bytes) =
        (size("max_request_bytes"), size("max_response_bytes"));
    let wait_for_ready = source("wait_for_ready")
        .and_then(|policy| policy.flag("wait_for_ready"))
        .unwrap_or(false);
    let lifecycle = lifecycle::read(pool, own.as_ref(), is_deprecated(&options), &mut report)
        .or_else(|| service_lifecycle.cloned());
    (problems.len() == before).then(|| Method {
        descriptor: method.clone(),
        timeout,
        idempotency,
        reattempt,
        permissions,
        criticality,
        max_request_bytes,
        max_response_bytes,
        lifecycle,
        wait_for_ready,
    })
}

/// Who may call a method: the permissions that it asks for, or `None` if it is public.
fn access(
    own: Option<&DynamicMessage>,
    defaults: Option<&DynamicMessage>,
    report: &mut impl FnMut(String),
) -> Option<Vec<String>> {
    // The two are one choice: a public method does not inherit permissions, nor one with permissions that it is public.
    let chooses = |policy: &&DynamicMessage| {
        policy.value("public").is_some() || policy.value("permissions").is_some()
    };
    let access = own.filter(chooses).or_else(|| defaults.filter(chooses));
    let public = access
        .and_then(|policy| policy.flag("public"))
        .unwrap_or(false);
    let permissions: Vec<String> = access
        .map(|policy| policy.list("permissions"))
        .unwrap_or_default()
        .iter()
        .filter_map(|permission| permission.as_str().map(str::to_owned))
        .collect();
    match (public, permissions.is_empty()) {
        (false, true) => report(format!(
            "says neither who may call it nor that everybody may; write `option ({METHOD}) = {{permissions: \
             [\"read:things\"]}}` or `{{public: true}}`"
        )),
        (true, false) => {
            report("is public and asks for permissions; take one of the two away".to_owned());
        }
        _ => {}
    }
    for permission in &permissions {
        if !matches("^[a-z]+:[a-z-]+$", permission) {
            report(format!(
                "permission {permission:?} is not of the form `verb:things`, as `read:notes`"
            ));
        }
    }
    (!public).then_some(permissions)
}

fn reattempt(policy: &DynamicMessage, report: &mut impl FnMut(String)) -> Reattempt {
    let mut duration = |message: &DynamicMessage, name: &str, default: Duration| {
        message
            .duration(name)
            .unwrap_or(Ok(default))
            .unwrap_or_else(|error| {
                report(error);
                default
            })
    };
    let (attempts, result) = if let Some(hedging) = policy.message("hedging_policy") {
        let max_attempts = hedging.number("max_attempts").unwrap_or(0);
        (
            max_attempts,
            Reattempt::Hedge {
                max_attempts,
                delay: duration(&hedging, "hedging_delay", Duration::ZERO),
                codes: codes(&hedging.list("non_fatal_status_codes")),
            },
        )
    } else if let Some(retry) = policy.message("retry_policy") {
        let max_attempts = retry.number("max_attempts").unwrap_or(0);
        let initial = duration(&retry, "initial_backoff", Duration::from_millis(100));
        let max = duration(&retry, "max_backoff", Duration::from_secs(5));
        let per_attempt = retry
            .message("per_attempt_timeout")
            .map(|_| duration(&retry, "per_attempt_timeout", Duration::ZERO));
        let mut codes = codes(&retry.list("retryable_status_codes"));
        if codes.is_empty() {
            codes.push(UNAVAILABLE);
        }
        let multiplier = retry.float("backoff_multiplier").unwrap_or(2.0);
        if max_attempts > 1 {
            if initial.is_zero() || initial > max {
                report(format!(
                    "initial_backoff is {initial:?}; it must be above 0 and at most max_backoff, {max:?}"
                ));
            }
            if multiplier < 1.0 {
                report(format!(
                    "backoff_multiplier is {multiplier}; it must be at least 1"
                ));
            }
            for code in NEVER_RETRIED
                .iter()
                .filter(|(code, _)| codes.contains(code))
            {
                report(format!(
                    "retries on {}, which must never be retried (AIP-194)",
                    code.1
                ));
            }
        }
        (
            max_attempts,
            Reattempt::Retry {
                max_attempts,
                initial,
                max,
                multiplier,
                codes,
                per_attempt,
            },
        )
    } else {
        return Reattempt::Never;
    };
    match attempts {
        1 => Reattempt::Never,
        2..=5 => result,
        other => {
            report(format!(
                "max_attempts is {other}; it must be 1 (sent once) to 5"
            ));
            Reattempt::Never
        }
    }
}

const UNAVAILABLE: i32 = 14;
const NEVER_RETRIED: [(i32, &str); 3] = [
    (1, "CANCELLED"),
    (4, "DEADLINE_EXCEEDED"),
    (15, "DATA_LOSS"),
];

fn codes(values: &[Value]) -> Vec<i32> {
    values.iter().filter_map(Value::as_enum_number).collect()
}

fn is_deprecated(options: &DynamicMessage) -> bool {
    options.flag("deprecated").unwrap_or(false)
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
}
