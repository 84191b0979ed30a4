//! Whether the addresses of the services are free, or theirs.

use scribemed_discovery::ServiceRegistry;

use super::Finding;
use super::health::{self, Health};
use crate::operator::SERVICES;

/// What is at the address of each service, and whether any of them is running.
pub(super) async fn check(registry: &ServiceRegistry) -> (Vec<Finding>, bool) {
    let mut findings = Vec::new();
    let mut running = false;
    for (service, _) in SERVICES {
        let target = match registry.target(service) {
            Ok(target) => target,
            Err(error) => {
                findings.push(Finding::bad(error.to_string(), "correct the variable"));
                continue;
            }
        };
        findings.push(match health::ask(&target).await {
            Health::Serving | Health::NotServing => {
                running = true;
                Finding::Good(format!("{service} answers at {target}"))
            }
            Health::Foreign => Finding::bad(
                format!("{target}, the address of {service}, is taken by another program"),
                format!("stop that program, or start the platform with --{service} 127.0.0.1:<another port>"),
            ),
            Health::Silent => Finding::Note(format!("nothing is at {target}, where {service} is looked for")),
        });
    }
    (findings, running)
}
