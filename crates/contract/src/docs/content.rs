//! What stands on which page.

mod messages;
mod methods;

use super::block::{Anchor, Block, INDEX, Inline, Page, code, comment, prose, text};
use crate::graph::Graph;
use crate::reference::{Comment, Package, Reference, Service};

/// The first page, and one for each package.
pub(super) fn pages(reference: &Reference) -> Vec<Page> {
    let packages = reference
        .packages
        .iter()
        .filter(|package| !is_empty(package));
    std::iter::once(index(reference))
        .chain(packages.map(|package| page(reference, package)))
        .collect()
}

fn is_empty(package: &Package) -> bool {
    package.services.is_empty() && package.messages.is_empty() && package.enums.is_empty()
}

fn heading(level: u8, words: impl Into<String>) -> Block {
    Block::Heading {
        level,
        text: words.into(),
        anchor: None,
    }
}

/// A heading that can be found.
fn anchored(level: u8, name: &str, full_name: &str, kind: &'static str, about: &Comment) -> Block {
    Block::Heading {
        level,
        text: name.to_owned(),
        anchor: Some(Anchor {
            id: full_name.to_owned(),
            kind,
            summary: about.summary().replace('`', ""),
        }),
    }
}

fn link(page: &str, anchor: &str, words: impl Into<String>) -> Inline {
    Inline::Link {
        page: page.to_owned(),
        anchor: anchor.to_owned(),
        text: words.into(),
    }
}

/// To a message or an enum; what others made is told of elsewhere.
fn link_to_type(reference: &Reference, full_name: &str, words: &str) -> Inline {
    match reference.package_of(full_name) {
        Some(package) => link(&package.name, full_name, words),
        None => code(words),
    }
}

fn index(reference: &Reference) -> Page {
    let mut blocks = vec![Block::Text(vec![text(
        "Every service, method and message of the contract, with what holds for it. All of it is generated from the \
         .proto files: what stands here is what clients and servers do.",
    )])];
    blocks.push(Block::Text(vec![
        text("The calls with grpcurl want "),
        code("$TOKEN"),
        text(", an access token that grants what the method asks for, and the address of the service, as in "),
        code(format!("{}_ADDRESS=localhost:50051", example_name(reference))),
        text("."),
    ]));
    blocks.push(heading(2, "Services"));
    let row = |service: &Service| {
        let mut name = vec![link(
            &service.package,
            &service.full_name,
            service.full_name.clone(),
        )];
        if service.deprecated {
            name.push(Inline::Tag("deprecated".to_owned()));
        }
        let count = service.methods.len().to_string();
        vec![
            name,
            vec![code(service.policy.discovery_name.clone())],
            vec![text(count)],
            prose(service.comment.summary()),
        ]
    };
    blocks.push(Block::Table {
        head: vec!["service", "found as", "methods", "what it does"],
        rows: reference.services().map(row).collect(),
    });
    let graph = Graph::of(reference);
    if !graph.calls.is_empty() {
        blocks.push(heading(2, "Who calls whom"));
        let mut rows = Vec::new();
        for ((caller, called), methods) in &graph.calls {
            let mut cell = Vec::new();
            for method in methods {
                if !cell.is_empty() {
                    cell.push(Inline::Break);
                }
                cell.push(methods::link_to(reference, method));
            }
            rows.push(vec![
                vec![code(caller.clone())],
                vec![code(called.clone())],
                cell,
            ]);
        }
        blocks.push(Block::Table {
            head: vec!["caller", "calls", "methods"],
            rows,
        });
    }
    blocks.push(heading(2, "Packages"));
    let item = |package: &Package| {
        let mut words = vec![link(&package.name, "", package.name.clone())];
        let about = package.comment.summary();
        if !about.is_empty() {
            words.push(text(": "));
            words.extend(prose(about));
        }
        words
    };
    let packages = reference
        .packages
        .iter()
        .filter(|package| !is_empty(package));
    blocks.push(Block::List(packages.map(item).collect()));
    Page {
        name: INDEX.to_owned(),
        title: "Contract reference".to_owned(),
        blocks,
    }
}

/// The name of the first service, as variables have it.
fn example_name(reference: &Reference) -> String {
    let first = reference.services().next();
    let name = first.map_or("inn", |service| service.policy.discovery_name.as_str());
    name.to_uppercase().replace('-', "_")
}

fn page(reference: &Reference, package: &Package) -> Page {
    let mut blocks = comment(&package.comment);
    for service in &package.services {
        service_blocks(reference, service, &mut blocks);
    }
    if !package.messages.is_empty() {
        blocks.push(heading(2, "Messages"));
        for message in &package.messages {
            messages::message(reference, message, &mut blocks);
        }
    }
    if !package.enums.is_empty() {
        blocks.push(heading(2, "Enums"));
        for found in &package.enums {
            messages::enumeration(found, &mut blocks);
        }
    }
    Page {
        name: package.name.clone(),
        title: package.name.clone(),
        blocks,
    }
}

fn service_blocks(reference: &Reference, service: &Service, blocks: &mut Vec<Block>) {
    blocks.push(anchored(
        2,
        &service.name,
        &service.full_name,
        "service",
        &service.comment,
    ));
    if let Some(end) = &service.policy.lifecycle {
        blocks.push(Block::Notice(methods::end(reference, end)));
    }
    blocks.extend(comment(&service.comment));
    blocks.push(Block::Table {
        head: vec!["policy of the service", ""],
        rows: methods::service_policy(reference, service),
    });
    let row = |method: &crate::reference::Method| {
        let mut name = vec![link(
            &service.package,
            &method.full_name,
            method.name.clone(),
        )];
        if method.deprecated {
            name.push(Inline::Tag("deprecated".to_owned()));
        }
        vec![name, prose(method.comment.summary())]
    };
    blocks.push(Block::Table {
        head: vec!["method", "what it does"],
        rows: service.methods.iter().map(row).collect(),
    });
    for method in &service.methods {
        methods::method(reference, service, method, blocks);
    }
    methods::reasons(reference, service, blocks);
}
