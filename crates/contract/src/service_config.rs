//! `service-config`: gRPC's standard service config (`grpc/service_config.proto`; gRFC A2, A6, A17) for clients in other
//! languages, so that they call as the contract says without the platform's own client.
//!
//! What the standard form has no word for is left out and said in a note: the longest attempt (`per_attempt_timeout`), the
//! circuit breaker, permissions, criticality. What a client does not implement it passes over: grpcio knows no hedging and
//! no `peak_ewma`, so a hedged method is sent once there and endpoints take turns.

use scribemed_codegen::policy::{Reattempt, Service as Policy};

use crate::json::Json;
use crate::near::{Unknown, near};
use crate::reference::{Method, Reference, Service, code_name, duration, duration_json};

/// A service config and what it could not say.
#[derive(Debug)]
pub struct ServiceConfig {
    /// The JSON.
    pub json: Json,
    /// One sentence each.
    pub notes: Vec<String>,
}

/// The service config for calls to `name`: a discovery name (all services behind it), or the full name of a service.
///
/// # Errors
/// [`Unknown`] where there is neither.
pub fn of(reference: &Reference, name: &str) -> Result<ServiceConfig, Unknown> {
    let behind =
        |service: &&Service| service.policy.discovery_name == name || service.full_name == name;
    let services: Vec<&Service> = reference.services().filter(behind).collect();
    if services.is_empty() {
        let names = reference.services().flat_map(|service| {
            [
                service.policy.discovery_name.as_str(),
                service.full_name.as_str(),
            ]
        });
        return Err(Unknown {
            what: "service",
            asked: name.to_owned(),
            near: near(name, names),
            list: "`graph` shows all of them",
        });
    }
    let mut notes = Vec::new();
    let mut json = Json::Object(Vec::new());
    json.put("loadBalancingConfig", balancing(&services, &mut notes));
    json.put("methodConfig", method_configs(&services, &mut notes));
    if let Some(throttling) = throttling(&services, &mut notes) {
        json.put("retryThrottling", throttling);
    }
    // One name for the channel; the empty one is the server as a whole.
    let watched = match services.as_slice() {
        [service] => service.full_name.as_str(),
        _ => "",
    };
    json.put(
        "healthCheckConfig",
        Json::object([("serviceName", watched.into())]),
    );
    Ok(ServiceConfig { json, notes })
}

/// A client takes the first policy that it knows.
fn balancing(services: &[&Service], notes: &mut Vec<String>) -> Json {
    let wanted = one_of(
        services,
        "load_balancing",
        |policy| Some(policy.balancing),
        notes,
    );
    let names: &[&str] = match wanted {
        Some("RoundRobin") => &["round_robin"],
        Some("PickFirst") => &["pick_first"],
        _ => &["peak_ewma", "round_robin"],
    };
    Json::List(
        names
            .iter()
            .map(|name| Json::object([(name, Json::Object(Vec::new()))]))
            .collect(),
    )
}

fn throttling(services: &[&Service], notes: &mut Vec<String>) -> Option<Json> {
    let (tokens, ratio) = one_of(
        services,
        "retry_throttling",
        |policy| policy.throttling,
        notes,
    )?;
    Some(Json::object([
        ("maxTokens", tokens.into()),
        ("tokenRatio", decimal(ratio)),
    ]))
}

/// What holds for a whole channel can only be one: that of the last service, which is the newest version.
fn one_of<T: PartialEq>(
    services: &[&Service],
    what: &str,
    get: impl Fn(&Policy) -> Option<T>,
    notes: &mut Vec<String>,
) -> Option<T> {
    let last = services.last()?;
    let value = get(&last.policy);
    if services.iter().any(|service| get(&service.policy) != value) {
        notes.push(format!(
            "the services differ in {what}, and a channel has one: it is that of {}",
            last.full_name
        ));
    }
    value
}

/// One entry for all methods that are called alike.
fn method_configs(services: &[&Service], notes: &mut Vec<String>) -> Json {
    let mut groups: Vec<(Json, Vec<Json>)> = Vec::new();
    for service in services {
        for method in &service.methods {
            note(method, notes);
            let config = method_config(method);
            let name = Json::object([
                ("service", service.full_name.clone().into()),
                ("method", method.name.clone().into()),
            ]);
            match groups.iter_mut().find(|(known, _)| *known == config) {
                Some((_, names)) => names.push(name),
                None => groups.push((config, vec![name])),
            }
        }
    }
    let entry = |(config, names): (Json, Vec<Json>)| {
        let mut fields = vec![("name".to_owned(), Json::List(names))];
        if let Json::Object(rest) = config {
            fields.extend(rest);
        }
        Json::Object(fields)
    };
    Json::List(groups.into_iter().map(entry).collect())
}

fn method_config(method: &Method) -> Json {
    let policy = &method.policy;
    let mut config = Json::Object(Vec::new());
    config.put("timeout", duration_json(policy.timeout));
    if policy.wait_for_ready {
        config.put("waitForReady", true);
    }
    match &policy.reattempt {
        Reattempt::Never => {}
        Reattempt::Retry {
            max_attempts,
            initial,
            max,
            multiplier,
            codes,
            ..
        } => config.put(
            "retryPolicy",
            Json::object([
                ("maxAttempts", (*max_attempts).into()),
                ("initialBackoff", duration_json(*initial).into()),
                ("maxBackoff", duration_json(*max).into()),
                ("backoffMultiplier", decimal(*multiplier)),
                ("retryableStatusCodes", names(codes)),
            ]),
        ),
        Reattempt::Hedge {
            max_attempts,
            delay,
            codes,
        } => config.put(
            "hedgingPolicy",
            Json::object([
                ("maxAttempts", (*max_attempts).into()),
                ("hedgingDelay", duration_json(*delay).into()),
                ("nonFatalStatusCodes", names(codes)),
            ]),
        ),
    }
    config.put("maxRequestMessageBytes", policy.max_request_bytes);
    config.put("maxResponseMessageBytes", policy.max_response_bytes);
    config
}

fn note(method: &Method, notes: &mut Vec<String>) {
    match &method.policy.reattempt {
        Reattempt::Retry {
            per_attempt: Some(longest),
            ..
        } => notes.push(format!(
            "{}: one attempt may take {} at most, which the standard form cannot say; the client must see to it",
            method.full_name,
            duration(*longest)
        )),
        Reattempt::Hedge { .. } => notes.push(format!(
            "{}: a client that does not implement hedging, as grpcio and grpc-go, sends it once",
            method.full_name
        )),
        Reattempt::Never | Reattempt::Retry { .. } => {}
    }
}

fn names(codes: &[i32]) -> Json {
    Json::texts(codes.iter().map(|code| code_name(*code)))
}

/// The decimal that was written, and not the binary fraction beside it.
fn decimal(value: f32) -> Json {
    let value: f64 = value
        .to_string()
        .parse()
        .unwrap_or_else(|_| f64::from(value));
    if value.fract() == 0.0 && (0.0..1e9).contains(&value) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number in the range"
        )]
        return (value as u64).into();
    }
    value.into()
}
