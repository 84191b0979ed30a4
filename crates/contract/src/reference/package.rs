//! Packages and services.

use std::collections::BTreeMap;

use prost_reflect::prost_types::ServiceOptions;
use prost_reflect::{DescriptorPool, ServiceDescriptor};
use scribemed_codegen::options::extension;
use scribemed_codegen::{Problem, policy};

use super::comment::{Comment, Comments};
use super::message::{self, Enum, Message};
use super::method::{self, Method};

/// A package.
#[derive(Debug, Default)]
pub struct Package {
    /// `scribemed.documentation.v2`.
    pub name: String,
    /// What its files say of themselves.
    pub comment: Comment,
    /// By name.
    pub services: Vec<Service>,
    /// In the order of the files, nested ones behind the one that they stand in.
    pub messages: Vec<Message>,
    /// As the messages.
    pub enums: Vec<Enum>,
}

/// A service.
#[derive(Debug)]
pub struct Service {
    /// `DocumentationService`.
    pub name: String,
    /// `scribemed.documentation.v2.DocumentationService`.
    pub full_name: String,
    /// Its package.
    pub package: String,
    /// The file that it stands in.
    pub file: String,
    /// What it is.
    pub comment: Comment,
    /// Whether it has `option deprecated`.
    pub deprecated: bool,
    /// How it is found, protected and retired. Its methods are in `methods`.
    pub policy: policy::Service,
    /// In the order of the file.
    pub methods: Vec<Method>,
}

/// Whether others make what is in this package: it is used here, and told of elsewhere.
fn is_foreign(package: &str) -> bool {
    ["google", "buf", "grpc"]
        .iter()
        .any(|owner| package == *owner || package.starts_with(&format!("{owner}.")))
}

/// Reads all packages that are ours.
pub(super) fn read(pool: &DescriptorPool) -> Result<Vec<Package>, Vec<Problem>> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut files: Vec<_> = pool
        .files()
        .filter(|file| !is_foreign(file.package_name()))
        .collect();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    for file in files {
        let comments = Comments::of(&file);
        let package = packages.entry(file.package_name().to_owned()).or_default();
        file.package_name().clone_into(&mut package.name);
        package.comment.0.extend(comments.of_file().0);
        for service in file.services() {
            package
                .services
                .extend(read_service(pool, &service, &comments, &mut problems));
        }
        for message in file.messages() {
            message::read(pool, &message, &comments, package);
        }
        for found in file.enums() {
            package.enums.push(message::read_enum(&found, &comments));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut packages: Vec<_> = packages.into_values().collect();
    for package in &mut packages {
        package
            .services
            .sort_by(|a, b| a.full_name.cmp(&b.full_name));
    }
    Ok(packages)
}

fn read_service(
    pool: &DescriptorPool,
    service: &ServiceDescriptor,
    comments: &Comments,
    problems: &mut Vec<Problem>,
) -> Option<Service> {
    let mut policy = policy::read(pool, service, problems)?;
    let options = extension(pool, &service.options(), "scribemed.options.v1.service")?;
    let deprecated = service.service_descriptor_proto().options.as_ref();
    let deprecated = deprecated.is_some_and(ServiceOptions::deprecated);
    let methods = std::mem::take(&mut policy.methods);
    Some(Service {
        name: service.name().to_owned(),
        full_name: service.full_name().to_owned(),
        package: service.package_name().to_owned(),
        file: service.parent_file().name().to_owned(),
        comment: comments.at(service.path()),
        deprecated,
        methods: methods
            .into_iter()
            .map(|method| method::read(pool, comments, &options, deprecated, method))
            .collect(),
        policy,
    })
}
