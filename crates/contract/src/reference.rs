//! The contract as people are told of it: services, methods, messages, rules in words. What every export is made from.

mod comment;
pub(crate) mod http;
mod message;
mod method;
mod package;
mod policy;
mod rules;
mod text;

use std::collections::BTreeMap;

use prost_reflect::DescriptorPool;
use scribemed_codegen::Problem;

pub use comment::{Comment, Paragraph};
pub use http::{Binding, Segment};
pub use message::{Enum, EnumValue, Field, FieldType, Message, Oneof, Presence, Shape};
pub use method::{Failure, Method};
pub use package::{Package, Service};
pub use policy::{Origin, Origins};
pub use rules::{Rule, Rules};
pub(crate) use rules::{is_in_oneof_rule, number};
pub use text::{bytes, code_name, duration, duration_json};

/// What a contract says.
#[derive(Debug)]
pub struct Reference {
    /// The descriptors that it was read from.
    pub pool: DescriptorPool,
    /// Its packages, by name. What others make, `google`, `buf` and `grpc`, is not among them.
    pub packages: Vec<Package>,
    messages: BTreeMap<String, (usize, usize)>,
    enums: BTreeMap<String, (usize, usize)>,
}

/// A contract that cannot be told of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It lacks something, or contradicts itself.
    #[error("the contract is refused: {}{}", .0.first().map(ToString::to_string).unwrap_or_default(), more(.0.len()))]
    Refused(Vec<Problem>),
    /// There is no service in it.
    #[error(
        "there is no service in the contract; give an image of one that has services with scribemed.options.v1.service"
    )]
    NoService,
}

fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => format!(" (and {} more)", count - 1),
    }
}

impl Reference {
    /// Reads what `pool` says.
    ///
    /// # Errors
    /// [`Error`], in one line.
    pub fn read(pool: DescriptorPool) -> Result<Self, Error> {
        let packages = package::read(&pool).map_err(Error::Refused)?;
        if packages.iter().all(|package| package.services.is_empty()) {
            return Err(Error::NoService);
        }
        let mut messages = BTreeMap::new();
        let mut enums = BTreeMap::new();
        for (at, package) in packages.iter().enumerate() {
            for (index, message) in package.messages.iter().enumerate() {
                messages.insert(message.full_name.clone(), (at, index));
            }
            for (index, found) in package.enums.iter().enumerate() {
                enums.insert(found.full_name.clone(), (at, index));
            }
        }
        Ok(Self {
            pool,
            packages,
            messages,
            enums,
        })
    }

    /// All services, by full name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.packages.iter().flat_map(|package| &package.services)
    }

    /// All methods with their services.
    pub fn methods(&self) -> impl Iterator<Item = (&Service, &Method)> {
        self.services()
            .flat_map(|service| service.methods.iter().map(move |method| (service, method)))
    }

    /// The message of this full name, unless others made it.
    pub fn message(&self, full_name: &str) -> Option<&Message> {
        let (package, index) = self.messages.get(full_name)?;
        self.packages.get(*package)?.messages.get(*index)
    }

    /// The enum of this full name, unless others made it.
    pub fn enumeration(&self, full_name: &str) -> Option<&Enum> {
        let (package, index) = self.enums.get(full_name)?;
        self.packages.get(*package)?.enums.get(*index)
    }

    /// The package in which a message or an enum stands.
    pub fn package_of(&self, full_name: &str) -> Option<&Package> {
        let found = self
            .messages
            .get(full_name)
            .or_else(|| self.enums.get(full_name));
        self.packages.get(found?.0)
    }
}
