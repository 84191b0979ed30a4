//! `cargo xtask new-method`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::edit;
use super::names::{camel, snake};
use super::plan::Plan;
use super::template::render;

const RPC: &str = include_str!("templates/method/rpc.proto.template");
const MESSAGES: &str = include_str!("templates/method/messages.proto.template");
const HANDLER: &str = include_str!("templates/method/handler.rs.template");
const TEST: &str = include_str!("templates/method/test.rs.template");

/// Verbs of methods that change nothing.
const READS: [&str; 6] = ["Check", "Count", "Find", "Get", "List", "Search"];

/// What was asked for.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) service: &'a str,
    pub(super) method: &'a str,
    pub(super) version: Option<&'a str>,
    pub(super) permission: Option<&'a str>,
}

/// Everything that the method needs, and what to do next.
///
/// # Errors
/// There is no such service, the method is there, or a file does not look as expected.
pub(super) fn plan(root: &Path, wish: &Wish<'_>) -> Result<(Plan, String)> {
    let (service, method) = (wish.service, wish.method);
    let version = version(root, wish)?;
    let contract = format!("proto/{version}/scribemed/{service}/{version}/{service}.proto");
    let text =
        fs::read_to_string(root.join(&contract)).with_context(|| format!("reading {contract}"))?;
    let trait_name = service_name(service);
    let block = format!("service {trait_name} {{");
    ensure!(
        text.contains(&format!("\n{block}\n")),
        "{contract} has no `{block}`"
    );
    ensure!(
        !text.contains("option deprecated = true;"),
        "{contract} is deprecated; a new method goes into the version that succeeds it"
    );
    for taken in [
        format!("rpc {method}("),
        format!("message {method}Request {{"),
        format!("message {method}Response {{"),
    ] {
        ensure!(
            !text.contains(&taken),
            "{contract} has `{taken}` already; choose another name"
        );
    }
    let reads = READS.iter().any(|verb| {
        method
            .strip_prefix(verb)
            .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_uppercase()))
    });
    let permission = permission(&text, wish.permission, reads)?;
    let values = values(wish, &version, &permission, reads)?;
    let fill = |text: &str| render(text, &values);

    let mut plan = Plan::new(root);
    let (rpc, messages) = (fill(RPC)?, fill(MESSAGES)?);
    plan.edit(&contract, |text| {
        Ok(edit::into_block(text, &block, &rpc)? + &messages)
    })?;
    let handler = fill(HANDLER)?;
    let handlers = format!("services/{service}/src/{version}.rs");
    let start = format!("impl {trait_name} for ");
    plan.edit(&handlers, |text| edit::into_block(text, &start, &handler))?;
    // Who may call a new permission: the operator, as with all others.
    let table = format!("services/scribemed/src/services/{service}.rs");
    let entry =
        fs::read_to_string(root.join(&table)).with_context(|| format!("reading {table}"))?;
    if !entry.contains(&format!("\"{permission}\"")) {
        plan.edit(&table, |text| {
            edit::into_brackets(text, "operator: &[", &format!("\"{permission}\""))
        })?;
    }
    let tested = test(root, &mut plan, service, method, &fill(TEST)?)?;
    Ok((plan, next(&handlers, method, tested)))
}

/// What stands for each placeholder.
fn values(
    wish: &Wish<'_>,
    version: &str,
    permission: &str,
    reads: bool,
) -> Result<Vec<(&'static str, String)>> {
    let (service, method) = (wish.service, wish.method);
    let (verb, things) = permission
        .split_once(':')
        .context("a permission is VERB:THINGS")?;
    let http = format!("/{version}/{service}:{}", lower_first(method));
    Ok(vec![
        ("service", service.to_owned()),
        ("Service", service_name(service)),
        ("method", snake(method)),
        ("Method", method.to_owned()),
        ("version", version.to_owned()),
        ("permission", permission.to_owned()),
        ("may", format!("{verb} {}", things.replace('-', " "))),
        (
            "repeat",
            if reads {
                "Changes nothing, so a repeat is harmless."
            } else {
                "Not idempotent: it is sent once, unless it provably never arrived."
            }
            .to_owned(),
        ),
        (
            "idempotency",
            if reads {
                "NO_SIDE_EFFECTS"
            } else {
                "IDEMPOTENCY_UNKNOWN"
            }
            .to_owned(),
        ),
        (
            "http",
            if reads {
                format!("option (google.api.http) = {{get: \"{http}\"}};")
            } else {
                format!(
                    "option (google.api.http) = {{\n      post: \"{http}\"\n      body: \"*\"\n    }};"
                )
            },
        ),
        (
            "attempts",
            if reads {
                ""
            } else {
                "\n      retry_policy: {max_attempts: 1}"
            }
            .to_owned(),
        ),
    ])
}

/// `billing` -> `BillingService`
fn service_name(service: &str) -> String {
    format!("{}Service", camel(service))
}

/// Adds the test, where the tests of the service have a world for it.
fn test(root: &Path, plan: &mut Plan, service: &str, method: &str, test: &str) -> Result<bool> {
    let folder = format!("services/{service}/tests/service");
    let world = fs::read_to_string(root.join(&folder).join("world.rs")).unwrap_or_default();
    if !world.contains("async fn client_with(") || !world.contains("fn told<") {
        return Ok(false);
    }
    let test = if world.contains("async fn new(") {
        test.replace("World::new()", "World::new().await")
    } else {
        test.to_owned()
    };
    let module = snake(method);
    plan.create(&format!("{folder}/{module}.rs"), test)?;
    plan.edit(&format!("{folder}/main.rs"), |text| {
        let member = |line: &str| line.starts_with("mod ") && line.ends_with(';');
        edit::into_sorted_run(text, member, &format!("mod {module};"))
    })?;
    Ok(true)
}

fn next(file: &str, method: &str, tested: bool) -> String {
    let test = if tested {
        "Its test says so, too, and is the place for those of what it will do."
    } else {
        "The tests of this service have no `world.rs`, so none was written: write one of what it will do."
    };
    format!(
        "Until its handler is written ({file}, at the end), {method} answers UNIMPLEMENTED. {test}\n\
         Then say in the contract what it does: its fields with their rules, its errors, and whether a repeat is harmless.\n\
         `cargo xtask test` names whatever else is to be renewed."
    )
}

/// The version that was asked for, or the newest.
fn version(root: &Path, wish: &Wish<'_>) -> Result<String> {
    let service = wish.service;
    let has = |version: &str| {
        root.join(format!("proto/{version}/scribemed/{service}/{version}"))
            .is_dir()
    };
    let all: Vec<String> = (1..100)
        .map(|number| format!("v{number}"))
        .filter(|version| has(version))
        .collect();
    let Some(newest) = all.last() else {
        bail!("there is no service {service:?}; `cargo xtask new-service {service}` makes one");
    };
    match wish.version {
        None => Ok(newest.clone()),
        Some(version) if all.iter().any(|known| known == version) => Ok(version.to_owned()),
        Some(version) => bail!(
            "{service} has no version {version:?}; it has {}",
            all.join(", ")
        ),
    }
}

/// The permission that was asked for, or the first that the service has for this.
fn permission(contract: &str, wish: Option<&str>, reads: bool) -> Result<String> {
    if let Some(permission) = wish {
        let lower = |part: &str, more: &[char]| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || more.contains(&letter))
        };
        ensure!(
            permission
                .split_once(':')
                .is_some_and(|(verb, things)| lower(verb, &[]) && lower(things, &['-'])),
            "a permission is VERB:THINGS in lower case, as `read:notes`, and not {permission:?}"
        );
        return Ok(permission.to_owned());
    }
    let verb = if reads { "\"read:" } else { "\"write:" };
    let asked = contract
        .match_indices(verb)
        .find_map(|(at, _)| contract[at + 1..].split('"').next());
    match asked {
        Some(permission) => Ok(permission.to_owned()),
        None => bail!(
            "no method of the service asks for {verb}...\"; say what this one needs with --permission"
        ),
    }
}

/// `SendInvoice` -> `sendInvoice`
fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
