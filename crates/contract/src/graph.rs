//! `graph`: which service calls which methods of which other, from `calls` in the services' options.

use std::collections::{BTreeMap, BTreeSet};

use crate::reference::{Reference, Service};

/// Who calls what. Services go by their discovery names: all versions behind one are one process.
#[derive(Debug, PartialEq, Eq)]
pub struct Graph {
    /// All services, also those that call nobody.
    pub services: BTreeSet<String>,
    /// Caller, called; and the methods, by full name.
    pub calls: BTreeMap<(String, String), BTreeSet<String>>,
    /// Methods that are called and deprecated.
    pub deprecated: BTreeSet<String>,
}

impl Graph {
    /// What the contract says.
    pub fn of(reference: &Reference) -> Self {
        let mut graph = Self {
            services: BTreeSet::new(),
            calls: BTreeMap::new(),
            deprecated: BTreeSet::new(),
        };
        for service in reference.services() {
            let caller = &service.policy.discovery_name;
            graph.services.insert(caller.clone());
            for call in &service.policy.calls {
                // The contract would have been refused if there were none.
                let Some((target, method)) = reference
                    .methods()
                    .find(|(_, method)| method.full_name == *call)
                else {
                    continue;
                };
                if method.deprecated {
                    graph.deprecated.insert(call.clone());
                }
                let edge = (caller.clone(), target.policy.discovery_name.clone());
                graph.calls.entry(edge).or_default().insert(call.clone());
            }
        }
        graph
    }

    /// As a Mermaid flow chart, the same text for the same contract.
    pub fn mermaid(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        for service in &self.services {
            out.push_str(&format!("  {}[\"{service}\"]\n", node(service)));
        }
        for ((caller, called), methods) in &self.calls {
            let is_dying = methods
                .iter()
                .any(|method| self.deprecated.contains(method));
            let arrow = if is_dying { "-.->" } else { "-->" };
            let label: Vec<String> = methods.iter().map(|method| short(method)).collect();
            out.push_str(&format!(
                "  {} {arrow}|\"{}\"| {}\n",
                node(caller),
                label.join("<br/>"),
                node(called)
            ));
        }
        out
    }
}

/// Mermaid takes some names, as `end`, for its own words.
fn node(service: &str) -> String {
    format!("s_{}", service.replace('-', "_"))
}

/// `v2 GetNote`: the version matters, the rest of the package is the service's name again.
fn short(method: &str) -> String {
    let mut parts = method.rsplit('.');
    let name = parts.next().unwrap_or(method);
    match parts.nth(1) {
        Some(version) => format!("{version} {name}"),
        None => name.to_owned(),
    }
}

/// Who calls a method, by discovery name.
pub fn callers<'a>(reference: &'a Reference, method: &str) -> BTreeSet<&'a str> {
    let calls = |service: &&Service| service.policy.calls.iter().any(|call| call == method);
    let callers = reference.services().filter(calls);
    callers
        .map(|service| service.policy.discovery_name.as_str())
        .collect()
}
