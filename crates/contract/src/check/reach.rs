//! Which messages travel to a service, and which come from one.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, MessageDescriptor};

use super::elements::services;

/// The ways that a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ways {
    /// A caller makes it.
    pub(super) request: bool,
    /// A service makes it.
    pub(super) response: bool,
}

/// The ways of each message, by its full name.
pub(super) struct Reach(BTreeMap<String, Ways>);

impl Reach {
    /// From the methods, through the fields.
    pub(super) fn of(pool: &DescriptorPool) -> Self {
        let mut ways: BTreeMap<String, Ways> = BTreeMap::new();
        for method in services(pool).flat_map(|service| service.methods().collect::<Vec<_>>()) {
            for name in below(method.input()) {
                ways.entry(name).or_default().request = true;
            }
            for name in below(method.output()) {
                ways.entry(name).or_default().response = true;
            }
        }
        Self(ways)
    }

    /// What no method names travels inside of others, as details of errors do: it may go both ways.
    pub(super) fn ways(&self, message: &str) -> Ways {
        let both = Ways {
            request: true,
            response: true,
        };
        self.0.get(message).copied().unwrap_or(both)
    }
}

/// The message and all that can be in it.
fn below(message: MessageDescriptor) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![message];
    while let Some(message) = open.pop() {
        if found.insert(message.full_name().to_owned()) {
            open.extend(
                message
                    .fields()
                    .filter_map(|field| field.kind().as_message().cloned()),
            );
        }
    }
    found
}
