//! From JSON to a [`ServiceConfig`], checked against the contracts.

use std::collections::btree_map::Entry;

use scribemed_resilience::backoff::Backoff;
use scribemed_rpc::policy::{LoadBalancing, MethodPolicy, RetryThrottling, ServicePolicy};
use tonic::Code;

use super::error::Error;
use super::json::{Fields, Node, Place, shown};
use super::number::{code, duration, number, positive_duration, whole};
use super::{MethodConfig, Name, ServiceConfig, may_be_repeated};
use crate::policy::{CodeSet, Hedge, Reattempt, Retry};

/// gRFC A6, section Validation: more attempts than this are taken as this many.
const MAX_ATTEMPTS: u32 = 5;

/// The names of gRFC A24 and of the standard policies, and ours.
const BALANCING: [(&str, LoadBalancing); 3] = [
    ("round_robin", LoadBalancing::RoundRobin),
    ("pick_first", LoadBalancing::PickFirst),
    ("peak_ewma", LoadBalancing::PeakEwma),
];

/// Reads the whole.
pub(super) fn config(
    root: &Place<'_>,
    contracts: &[&'static ServicePolicy],
) -> Result<ServiceConfig, Error> {
    let fields = root.object(&[
        "loadBalancingConfig",
        "loadBalancingPolicy",
        "methodConfig",
        "retryThrottling",
        "healthCheckConfig",
    ])?;
    let mut config = ServiceConfig {
        load_balancing: load_balancing(&fields)?,
        retry_throttling: fields
            .get("retryThrottling")
            .map(|place| retry_throttling(&place))
            .transpose()?,
        health_check_service: match fields.get("healthCheckConfig") {
            Some(place) => health_check(&place)?,
            None => None,
        },
        ..ServiceConfig::default()
    };
    let entries = match fields.get("methodConfig") {
        Some(place) => place.list()?,
        None => Vec::new(),
    };
    for place in &entries {
        method_config(place, contracts, &mut config)?;
    }
    agree(&config, &entries, contracts)?;
    Ok(config)
}

/// `loadBalancingConfig`, of which the first policy that is known holds; without it the older `loadBalancingPolicy`.
fn load_balancing(fields: &Fields<'_>) -> Result<Option<LoadBalancing>, Error> {
    let known = BALANCING.map(|(name, _)| name).join(", ");
    let older = fields
        .get("loadBalancingPolicy")
        .map(|place| {
            let name = place.text("round_robin")?;
            BALANCING
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, policy)| *policy)
                .ok_or_else(|| place.must_be(&format!("one of {known}")))
        })
        .transpose()?;
    let Some(place) = fields.get("loadBalancingConfig") else {
        return Ok(older);
    };
    let mut first = None;
    for item in place.list()? {
        let (name, settings) = item.only_field("{\"round_robin\": {}}")?;
        if let Some((_, policy)) = BALANCING.iter().find(|(known, _)| *known == name) {
            settings.object(&[])?;
            first = first.or(Some(*policy));
        }
    }
    match first {
        Some(policy) => Ok(Some(policy)),
        None => Err(place.error(format!(
            "names no policy that is known here; add one of {known}"
        ))),
    }
}

fn retry_throttling(place: &Place<'_>) -> Result<RetryThrottling, Error> {
    let fields = place.object(&["maxTokens", "tokenRatio"])?;
    let max_tokens = whole(
        &fields.require("maxTokens", "\"maxTokens\": 100")?,
        1..=1000,
    )?;
    let ratio = fields.require("tokenRatio", "\"tokenRatio\": 0.1")?;
    // Decimals beyond the third are ignored (gRFC A6, section Throttling Configuration).
    let value = number(&ratio, |value| value >= 0.001, "0.001 or more, as 0.1")?;
    let thousandths = (value * 1000.0 + 1e-6).floor();
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a ratio has three decimals; what is too large for an f32 is far beyond any bucket"
    )]
    let token_ratio = (thousandths / 1000.0).min(1000.0) as f32;
    Ok(RetryThrottling {
        max_tokens,
        token_ratio,
    })
}

fn health_check(place: &Place<'_>) -> Result<Option<String>, Error> {
    let fields = place.object(&["serviceName"])?;
    let name = fields.get("serviceName");
    name.map(|name| name.text("greeter.v1.GreeterService").map(str::to_owned))
        .transpose()
}

fn method_config(
    place: &Place<'_>,
    contracts: &[&'static ServicePolicy],
    config: &mut ServiceConfig,
) -> Result<(), Error> {
    let fields = place.object(&[
        "name",
        "timeout",
        "waitForReady",
        "retryPolicy",
        "hedgingPolicy",
        "maxRequestMessageBytes",
        "maxResponseMessageBytes",
    ])?;
    let names = fields.require(
        "name",
        "\"name\": [{\"service\": \"..\"}], or [{}] for every method",
    )?;
    let index = config.methods.len();
    let items = names.list()?;
    if items.is_empty() {
        return Err(names.error(
            "is empty, so the entry holds for nothing; name a service, or write [{}] for every method",
        ));
    }
    for item in items {
        match config.names.entry(name(&item, contracts)?) {
            Entry::Vacant(vacant) => {
                vacant.insert(index);
            }
            Entry::Occupied(taken) => {
                return Err(item.error(format!(
                    "is named by methodConfig[{}] already; name it once",
                    taken.get()
                )));
            }
        }
    }
    let bytes = |name: &str| -> Result<Option<usize>, Error> {
        let Some(place) = fields.get(name) else {
            return Ok(None);
        };
        let bytes = whole(&place, 0..=u32::MAX)?;
        Ok(Some(usize::try_from(bytes).unwrap_or(usize::MAX)))
    };
    let method = MethodConfig {
        timeout: fields
            .get("timeout")
            .map(|place| positive_duration(&place))
            .transpose()?,
        wait_for_ready: fields
            .get("waitForReady")
            .map(|place| place.flag())
            .transpose()?,
        reattempt: reattempt(place, &fields, &mut config.notes)?,
        max_request_bytes: bytes("maxRequestMessageBytes")?,
        max_response_bytes: bytes("maxResponseMessageBytes")?,
    };
    config.methods.push(method);
    Ok(())
}

/// A name. `""`, `null` and nothing are the same (`service_config.proto`, `MethodConfig.Name`).
fn name(place: &Place<'_>, contracts: &[&'static ServicePolicy]) -> Result<Name, Error> {
    let fields = place.object(&["service", "method"])?;
    let part = |name: &str, example: &str| match fields.get(name) {
        None => Ok(None),
        Some(place) if matches!(place.node, Node::Null) => Ok(None),
        Some(place) => {
            let text = place.text(example)?;
            Ok((!text.is_empty()).then_some((place, text)))
        }
    };
    let service = part("service", "greeter.v1.GreeterService")?;
    let method = part("method", "SayHello")?;
    let (at, service) = match (service, &method) {
        (Some(service), _) => service,
        (None, None) => return Ok(Name::All),
        (None, Some((at, _))) => {
            return Err(at.error("names a method without its service; add \"service\""));
        }
    };
    let Some(contract) = contracts.iter().find(|contract| contract.name == service) else {
        let known: Vec<_> = contracts.iter().map(|contract| contract.name).collect();
        return Err(at.error(format!(
            "is {}, which this channel does not call; its services are {}",
            shown(service),
            known.join(", ")
        )));
    };
    match method {
        None => Ok(Name::Service(service.to_owned())),
        Some((_, method)) if contract.method(method).is_some() => {
            Ok(Name::Method(service.to_owned(), method.to_owned()))
        }
        Some((at, method)) => {
            let known: Vec<_> = contract.methods.iter().map(|method| method.name).collect();
            Err(at.error(format!(
                "is {}, which {service} does not have; its methods are {}",
                shown(method),
                known.join(", ")
            )))
        }
    }
}

fn reattempt(
    place: &Place<'_>,
    fields: &Fields<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<Reattempt>, Error> {
    match (fields.get("retryPolicy"), fields.get("hedgingPolicy")) {
        (None, None) => Ok(None),
        (Some(retry), None) => Ok(Some(Reattempt::Retry(retry_policy(&retry, notes)?))),
        (None, Some(hedge)) => Ok(Some(Reattempt::Hedge(hedging_policy(&hedge, notes)?))),
        (Some(_), Some(_)) => {
            Err(place.error("has a retryPolicy and a hedgingPolicy; take one of the two away"))
        }
    }
}

fn retry_policy(place: &Place<'_>, notes: &mut Vec<String>) -> Result<Retry, Error> {
    let fields = place.object(&[
        "maxAttempts",
        "initialBackoff",
        "maxBackoff",
        "backoffMultiplier",
        "retryableStatusCodes",
    ])?;
    let max_attempts = max_attempts(&fields, notes)?;
    let initial =
        positive_duration(&fields.require("initialBackoff", "\"initialBackoff\": \"0.1s\"")?)?;
    let at_max = fields.require("maxBackoff", "\"maxBackoff\": \"5s\"")?;
    let max = positive_duration(&at_max)?;
    if max < initial {
        return Err(at_max.must_be(&format!("at least initialBackoff, {initial:?}")));
    }
    let at_multiplier = fields.require("backoffMultiplier", "\"backoffMultiplier\": 2")?;
    let multiplier = number(&at_multiplier, |value| value >= 1.0, "1 or more, as 2")?;
    let at_codes = fields.require(
        "retryableStatusCodes",
        "\"retryableStatusCodes\": [\"UNAVAILABLE\"]",
    )?;
    let codes = codes(&at_codes, |name, code| {
        let never = [Code::Cancelled, Code::DeadlineExceeded, Code::DataLoss];
        never
            .contains(&code)
            .then(|| format!("is {name}, which must never be retried (AIP-194); take it away"))
    })?;
    if codes.is_empty() {
        return Err(at_codes.error("is empty, so nothing is retried; write [\"UNAVAILABLE\"]"));
    }
    Ok(Retry {
        max_attempts,
        backoff: Backoff::new(initial, max, multiplier, 0.2)
            .map_err(|error| place.error(format!("has a backoff that cannot be: {error}")))?,
        codes,
        per_attempt_timeout: None,
    })
}

fn hedging_policy(place: &Place<'_>, notes: &mut Vec<String>) -> Result<Hedge, Error> {
    let fields = place.object(&["maxAttempts", "hedgingDelay", "nonFatalStatusCodes"])?;
    Ok(Hedge {
        max_attempts: max_attempts(&fields, notes)?,
        delay: fields
            .get("hedgingDelay")
            .map(|place| duration(&place))
            .transpose()?
            .unwrap_or_default(),
        non_fatal: match fields.get("nonFatalStatusCodes") {
            Some(place) => codes(&place, |_, _| None)?,
            None => CodeSet::default(),
        },
    })
}

fn max_attempts(fields: &Fields<'_>, notes: &mut Vec<String>) -> Result<u32, Error> {
    let place = fields.require("maxAttempts", "\"maxAttempts\": 3")?;
    let attempts = whole(&place, 2..=u32::MAX)?;
    if attempts > MAX_ATTEMPTS {
        let note =
            format!("is {attempts} and taken as {MAX_ATTEMPTS}, the most there are (gRFC A6)");
        notes.push(place.error(note).to_string());
    }
    Ok(attempts.min(MAX_ATTEMPTS))
}

fn codes(
    place: &Place<'_>,
    refuse: impl Fn(&str, Code) -> Option<String>,
) -> Result<CodeSet, Error> {
    let one = |item: &Place<'_>| {
        let (name, code) = code(item)?;
        match refuse(name, code) {
            Some(problem) => Err(item.error(problem)),
            None => Ok(code),
        }
    };
    place.list()?.iter().map(one).collect()
}

/// No entry has a method sent twice that must not be: checked at the end, when it is known which entry holds for which method.
fn agree(
    config: &ServiceConfig,
    entries: &[Place<'_>],
    contracts: &[&'static ServicePolicy],
) -> Result<(), Error> {
    for (index, (entry, method)) in entries.iter().zip(&config.methods).enumerate() {
        let (field, hedged) = match &method.reattempt {
            None | Some(Reattempt::Never) => continue,
            Some(Reattempt::Retry(_)) => ("retryPolicy", false),
            Some(Reattempt::Hedge(_)) => ("hedgingPolicy", true),
        };
        let fits =
            |method: &MethodPolicy| may_be_repeated(method) && !(hedged && method.client_streaming);
        let held: Vec<_> = contracts
            .iter()
            .flat_map(|contract| {
                contract
                    .methods
                    .iter()
                    .map(move |method| (contract, method))
            })
            .filter(|(contract, method)| {
                config
                    .config(contract.name, method.name)
                    .is_some_and(|(found, _)| found == index)
            })
            .collect();
        let Some((contract, wrong)) = held.iter().find(|(_, method)| !fits(method)) else {
            continue;
        };
        let why = if may_be_repeated(wrong) {
            "whose caller sends a stream, so that it cannot be hedged"
        } else {
            "which is not idempotent by contract and is never sent twice"
        };
        let right: Vec<_> = held
            .iter()
            .filter(|(_, method)| fits(method))
            .map(|(_, method)| method.path.trim_start_matches('/'))
            .collect();
        let right = if right.is_empty() {
            format!("take {field} away")
        } else {
            format!(
                "name the methods that it may hold for: {}",
                right.join(", ")
            )
        };
        return Err(entry.field_error(
            field,
            format!("holds for {}/{}, {why}; {right}", contract.name, wrong.name),
        ));
    }
    Ok(())
}
