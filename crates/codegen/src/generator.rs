//! Hooks what the options say into prost's and tonic's code generation.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use prost_build::{Module, Service, ServiceGenerator};
use prost_reflect::{DescriptorPool, FileDescriptor};

use crate::error::Problem;
use crate::{imports, policy, table, validator};

/// The Rust text that belongs to the services and packages of a contract.
#[derive(Default)]
pub(crate) struct Generated {
    /// By full name.
    services: HashMap<String, String>,
    /// By package.
    packages: HashMap<String, String>,
    /// The same of the packages without a service, for which prost does not ask.
    unserved: BTreeMap<String, String>,
}

impl Generated {
    /// Reads and checks the options of `files`. What is refused is left out, as far as anything is left of it.
    pub(crate) fn new(pool: &DescriptorPool, files: &[PathBuf]) -> (Self, Vec<Problem>) {
        let files: Vec<_> = pool
            .files()
            .filter(|file| files.iter().any(|path| path.to_str() == Some(file.name())))
            .collect();
        let packages: Vec<String> = files
            .iter()
            .map(|file| file.package_name().to_owned())
            .collect();
        let mut generated = Self::default();
        let mut problems: Vec<Problem> = Vec::new();
        let mut context = validator::Context {
            pool,
            packages: &packages,
            problems: Vec::new(),
        };
        for file in &files {
            imports::check(file, &mut problems);
            for service in file.services() {
                if let Some(service) = policy::read(pool, &service, &mut problems) {
                    let text = table::render(pool, &service);
                    generated
                        .services
                        .insert(service.descriptor.full_name().to_owned(), text);
                }
            }
            let text = generated
                .packages
                .entry(file.package_name().to_owned())
                .or_default();
            for message in file.messages() {
                validator::render(&mut context, &message, text);
            }
        }
        problems.append(&mut context.problems);
        let served: HashSet<&str> = files
            .iter()
            .filter(|file| file.services().len() > 0)
            .map(FileDescriptor::package_name)
            .collect();
        generated.unserved = generated
            .packages
            .extract_if(|package, _| !served.contains(package.as_str()))
            .collect();
        (generated, problems)
    }
}

impl Generated {
    /// What is to be added to files that prost writes without asking.
    pub(crate) fn unserved(&mut self) -> impl Iterator<Item = (String, String)> + use<> {
        let unserved = std::mem::take(&mut self.unserved).into_iter();
        unserved
            .filter(|(_, text)| !text.is_empty())
            .map(|(package, text)| {
                let module = Module::from_protobuf_package_name(&package);
                (module.to_file_name_or("_"), text)
            })
    }
}

/// Generates clients and servers with tonic, each with its checking codec, then the text of [`Generated`].
pub(crate) struct Generator {
    client: Box<dyn ServiceGenerator>,
    server: Box<dyn ServiceGenerator>,
    generated: Generated,
}

impl Generator {
    pub(crate) fn new(generated: Generated) -> Self {
        let client = tonic_prost_build::configure()
            .build_server(false)
            .build_transport(false)
            .codec_path("::scribemed_rpc::codec::ClientCodec")
            .service_generator();
        let server = tonic_prost_build::configure()
            .build_client(false)
            .build_transport(false)
            .codec_path("::scribemed_rpc::codec::ServerCodec")
            .service_generator();
        Self {
            client,
            server,
            generated,
        }
    }
}

impl ServiceGenerator for Generator {
    fn generate(&mut self, service: Service, buf: &mut String) {
        let name = format!("{}.{}", service.package, service.proto_name);
        self.client.generate(service.clone(), buf);
        self.server.generate(service, buf);
        if let Some(text) = self.generated.services.remove(&name) {
            buf.push_str(&text);
        }
    }

    fn finalize(&mut self, buf: &mut String) {
        self.client.finalize(buf);
        self.server.finalize(buf);
    }

    fn finalize_package(&mut self, package: &str, buf: &mut String) {
        self.client.finalize_package(package, buf);
        self.server.finalize_package(package, buf);
        if let Some(text) = self.generated.packages.remove(package) {
            buf.push_str(&text);
        }
    }
}
