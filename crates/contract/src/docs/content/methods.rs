//! Methods, and what holds for them.

use scribemed_codegen::lifecycle::Lifecycle;

use super::{anchored, heading, link, link_to_type, messages};
use crate::docs::block::{Block, Inline, code, comment, prose, text};
use crate::example;
use crate::explain;
use crate::graph;
use crate::reference::{Binding, Method, Origin, Reference, Service};

/// Parts that are told of with the service and not again with each of its methods.
const OF_SERVICE: [&str; 3] = ["retry_throttling", "circuit_breaker", "load_balancing"];

pub(super) fn method(
    reference: &Reference,
    service: &Service,
    method: &Method,
    blocks: &mut Vec<Block>,
) {
    blocks.push(anchored(
        3,
        &method.name,
        &method.full_name,
        "method",
        &method.comment,
    ));
    if let Some(end) = &method.policy.lifecycle {
        blocks.push(Block::Notice(self::end(reference, end)));
    }
    blocks.push(signature(reference, method));
    blocks.extend(comment(&method.comment));
    request(reference, method, blocks);
    blocks.push(heading(4, "Policy"));
    blocks.push(policy(service, method));
    errors(method, blocks);
    let callers: Vec<&str> = graph::callers(reference, &method.full_name)
        .into_iter()
        .collect();
    if !callers.is_empty() {
        blocks.push(Block::Text(vec![text(format!(
            "Called by: {}.",
            callers.join(", ")
        ))]));
    }
    blocks.push(heading(4, "Call it"));
    blocks.push(Block::Code {
        language: "sh",
        text: grpcurl(reference, service, method),
    });
    if !method.http.is_empty() {
        blocks.push(Block::Text(vec![text("HTTP mapping:")]));
        blocks.push(Block::List(
            method
                .http
                .iter()
                .map(|way| binding(reference, method, way))
                .collect(),
        ));
    }
}

/// `GET /v2/notes/{note_id}`, and where the fields go that are not in the path.
fn binding(reference: &Reference, method: &Method, binding: &Binding) -> Vec<Inline> {
    let mut words = vec![code(format!("{} {}", binding.verb, binding.template))];
    let fields = reference
        .message(&method.request)
        .map_or(0, |message| message.fields.len());
    let in_path = binding.variables().count();
    match binding.body.as_deref() {
        Some("*") if in_path == 0 => words.push(text(", the request is the body")),
        Some("*") => words.push(text(", the other fields in the body")),
        Some(field) => {
            words.extend([text(", with "), code(field), text(" as the body")]);
        }
        None if fields > in_path => words.push(text(", the other fields in the query")),
        None => {}
    }
    words
}

/// `Takes a GetNoteRequest, answers with a stream of GetNoteResponse.`
fn signature(reference: &Reference, method: &Method) -> Block {
    let stream = |is: bool| if is { "stream of " } else { "" };
    let descriptor = &method.policy.descriptor;
    let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    Block::Text(vec![
        text(format!(
            "Takes a {}",
            stream(descriptor.is_client_streaming())
        )),
        link_to_type(reference, &method.request, &short(&method.request)),
        text(format!(
            ", answers with a {}",
            stream(descriptor.is_server_streaming())
        )),
        link_to_type(reference, &method.response, &short(&method.response)),
        text("."),
    ])
}

/// What the caller has to write, where the caller looks for it.
fn request(reference: &Reference, method: &Method, blocks: &mut Vec<Block>) {
    let Some(message) = reference.message(&method.request) else {
        return;
    };
    if !message.fields.is_empty() {
        blocks.push(heading(4, "Request"));
        blocks.push(messages::fields(reference, message));
    }
}

fn policy(service: &Service, method: &Method) -> Block {
    let parts = explain::parts(service, method);
    let parts = parts
        .into_iter()
        .filter(|part| !OF_SERVICE.contains(&part.name) && part.name != "lifecycle");
    let row = |part: explain::Part| {
        let words = if part.name == "permissions" && method.policy.permissions.is_some() {
            vec![code(part.words)]
        } else {
            vec![text(part.words)]
        };
        vec![
            vec![code(part.name)],
            words,
            vec![text(part.origin.to_string())],
        ]
    };
    Block::Table {
        head: vec!["policy", "in force", "from"],
        rows: parts.map(row).collect(),
    }
}

/// What holds for every method of a service.
pub(super) fn service_policy(reference: &Reference, service: &Service) -> Vec<Vec<Vec<Inline>>> {
    let name = &service.policy.discovery_name;
    let variable = format!("{}_SERVICE_URL", name.to_uppercase().replace('-', "_"));
    let mut rows = vec![vec![
        vec![code("discovery_name")],
        vec![code(name.clone()), text(", as in "), code(variable)],
    ]];
    if let Some(method) = service.methods.first() {
        let parts = explain::parts(service, method);
        for part in parts
            .into_iter()
            .filter(|part| OF_SERVICE.contains(&part.name))
        {
            let mut words = vec![text(part.words)];
            if part.origin == Origin::Product {
                words.push(text(" (product default)"));
            }
            rows.push(vec![vec![code(part.name)], words]);
        }
    }
    if !service.policy.calls.is_empty() {
        let mut cell = Vec::new();
        for call in &service.policy.calls {
            if !cell.is_empty() {
                cell.push(Inline::Break);
            }
            cell.push(link_to(reference, call));
        }
        rows.push(vec![vec![code("calls")], cell]);
    }
    rows
}

/// To a method by its full name.
pub(super) fn link_to(reference: &Reference, full_name: &str) -> Inline {
    let found = reference
        .methods()
        .find(|(_, method)| method.full_name == full_name);
    match found {
        Some((service, _)) => link(&service.package, full_name, full_name),
        None => code(full_name),
    }
}

/// The announced end.
pub(super) fn end(reference: &Reference, end: &Lifecycle) -> Vec<Inline> {
    let is_service = |service: &&Service| service.full_name == end.successor;
    let successor = match reference.services().find(is_service) {
        Some(service) => link(&service.package, &service.full_name, end.successor.clone()),
        None => link_to(reference, &end.successor),
    };
    vec![
        text(format!(
            "Deprecated since {}; may be gone from {}. Use ",
            end.deprecated_on, end.sunset_on
        )),
        successor,
        text(" instead."),
    ]
}

fn errors(method: &Method, blocks: &mut Vec<Block>) {
    blocks.push(heading(4, "Errors"));
    if let Some(note) = &method.errors_note {
        blocks.push(Block::Text(prose(note)));
    } else if method.failures.is_empty() {
        blocks.push(Block::Text(vec![text(
            "The contract names none of its own.",
        )]));
    }
    if !method.failures.is_empty() {
        let row = |failure: &crate::reference::Failure| {
            let mut codes = Vec::new();
            for name in &failure.codes {
                if !codes.is_empty() {
                    codes.push(Inline::Break);
                }
                codes.push(code(name.clone()));
            }
            vec![codes, prose(&failure.when)]
        };
        blocks.push(Block::Table {
            head: vec!["code", "when"],
            rows: method.failures.iter().map(row).collect(),
        });
    }
}

/// The reasons that the `ErrorInfo` of the service's errors can hold.
pub(super) fn reasons(reference: &Reference, service: &Service, blocks: &mut Vec<Block>) {
    let own = format!("{}.ErrorReason", service.package);
    let all = [own.as_str(), "scribemed.options.v1.ErrorReason"];
    let mut words = Vec::new();
    for name in all
        .iter()
        .filter(|name| reference.enumeration(name).is_some())
    {
        words.push(text(if words.is_empty() {
            "Each error carries a google.rpc.ErrorInfo, whose reason is one of "
        } else {
            ", or of "
        }));
        words.push(link_to_type(reference, name, name));
    }
    if !words.is_empty() {
        words.push(text("."));
        blocks.push(heading(
            3,
            format!("Reasons of the errors of {}", service.name),
        ));
        blocks.push(Block::Text(words));
    }
}

/// A call that can be pasted: the server tells its contract by reflection. The shell asks for an address that is not set.
fn grpcurl(reference: &Reference, service: &Service, method: &Method) -> String {
    let example = example::message(reference, &method.request);
    let mut lines = vec!["grpcurl -plaintext \\".to_owned()];
    if method.policy.permissions.is_some() {
        lines.push("  -H \"authorization: Bearer $TOKEN\" \\".to_owned());
    }
    // Text between single quotes ends with the next one.
    let data = example.pretty().replace('\'', "'\\''");
    lines.push(format!("  -d '{data}' \\"));
    let variable = service
        .policy
        .discovery_name
        .to_uppercase()
        .replace('-', "_");
    lines.push(format!(
        "  \"${{{variable}_ADDRESS:?host:port}}\" {}/{}",
        service.full_name, method.name
    ));
    lines.join("\n")
}
