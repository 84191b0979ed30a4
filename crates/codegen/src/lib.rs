//! Build time: turns contracts into Rust.
//!
//! [`Contract::compile`], called from a `build.rs`, reads the `.proto` files with protox (no protoc), checks their policy
//! options and validation rules, and writes into `OUT_DIR`
//!
//! - `<package>.rs` for each package: messages, clients, servers, a `ServicePolicy` constant per service and a `Validate`
//!   implementation per message;
//! - `descriptor.binpb`: the encoded descriptor set, custom options included, for reflection.
//!
//! A contract that lacks something stops the build, with the file, the element and what would be right.

mod error;
mod generator;
mod imports;
pub mod lifecycle;
pub mod options;
mod place;
pub mod policy;
mod table;
mod validator;

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message as _;

pub use error::{Error, Place, Problem};

/// The contracts of a crate: the folders of the `.proto` files to generate from, and of those that they import.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), scribemed_codegen::Error> {
///     scribemed_codegen::Contract::new()
///         .root("proto/v1")
///         .include("proto/options")
///         .include("proto/vendor")
///         .compile()
/// }
/// ```
#[derive(Debug, Default)]
pub struct Contract {
    roots: Vec<PathBuf>,
    includes: Vec<PathBuf>,
    described: Vec<PathBuf>,
}

impl Contract {
    /// No folders yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a folder: code is generated for every `.proto` file in it. Paths are those of the crate.
    #[must_use]
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.roots.push(folder.into());
        self
    }

    /// Adds a folder whose files may be imported.
    #[must_use]
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.includes.push(folder.into());
        self
    }

    /// Puts an imported file, and what it imports, into the descriptor set even if no contract names it: what travels inside
    /// of `google.protobuf.Any`, such as error details, can be read by reflection then.
    #[must_use]
    pub fn describe(mut self, file: impl Into<PathBuf>) -> Self {
        self.described.push(file.into());
        self
    }

    /// Generates into `OUT_DIR`, and tells cargo to run the build script again when a folder changes.
    ///
    /// # Errors
    /// What is wrong with the contract, or with reading and writing the files.
    #[allow(
        clippy::print_stdout,
        reason = "this is how a build script speaks to cargo"
    )]
    pub fn compile(self) -> Result<(), Error> {
        for folder in self.roots.iter().chain(&self.includes) {
            println!("cargo::rerun-if-changed={}", folder.display());
        }
        let out = std::env::var_os("OUT_DIR").ok_or(Error::NoOutDir)?;
        self.compile_to(Path::new(&out))
    }

    /// The contracts as `buf build` would write them: an encoded `google.protobuf.FileDescriptorSet`, with the comments, the
    /// custom options and everything that is imported.
    ///
    /// # Errors
    /// The files cannot be read, or are no valid protobuf. What the platform asks of a contract is not checked.
    pub fn image(&self) -> Result<Vec<u8>, Error> {
        // The encoded form keeps the options, which prost's types would drop.
        Ok(self.open()?.1.encode_file_descriptor_set())
    }

    /// The files to generate from, named as imports name them, and the compiler that has read them.
    fn open(&self) -> Result<(Vec<PathBuf>, protox::Compiler), Error> {
        let mut files = Vec::new();
        for root in &self.roots {
            proto_files(root, root, &mut files)?;
        }
        files.sort();
        let mut compiler = protox::Compiler::new(self.roots.iter().chain(&self.includes))?;
        compiler.include_imports(true).include_source_info(true);
        compiler.open_files(&files)?;
        compiler.open_files(&self.described)?;
        Ok((files, compiler))
    }

    /// Generates into `out`.
    ///
    /// # Errors
    /// As [`Contract::compile`].
    pub fn compile_to(self, out: &Path) -> Result<(), Error> {
        let (files, compiler) = self.open()?;
        // The encoded form keeps the options, which prost's types would drop.
        let encoded = compiler.encode_file_descriptor_set();
        let pool = DescriptorPool::decode(encoded.as_slice())?;
        let generated = generator::Generated::new(&pool, &files)?;

        let mut set = compiler.file_descriptor_set();
        // The well-known types are prost's own; prost still wants to see how they are built.
        set.file.retain(|file| {
            file.package() == "google.protobuf"
                || files.iter().any(|path| path.to_str() == Some(file.name()))
        });
        let mut config = prost_build::Config::new();
        config.out_dir(out).bytes(["."]).enable_type_names();
        config.service_generator(Box::new(generator::Generator::new(generated)));
        config.compile_fds(set).map_err(Error::Generate)?;

        let path = out.join("descriptor.binpb");
        std::fs::write(&path, without_source(&encoded)?)
            .map_err(|source| Error::File { path, source })
    }
}

/// The set without the comments and positions of imported files, which nobody reads through reflection and which are most
/// of its size. Options survive, known or not, because the descriptors are handled as dynamic messages.
fn without_source(encoded: &[u8]) -> Result<Vec<u8>, Error> {
    let google = DescriptorPool::global();
    let Some(kind) = google.get_message_by_name("google.protobuf.FileDescriptorSet") else {
        return Ok(encoded.to_vec());
    };
    let mut set =
        prost_reflect::DynamicMessage::decode(kind, encoded).map_err(Error::Descriptor)?;
    if let Some(prost_reflect::Value::List(files)) = set
        .has_field_by_name("file")
        .then(|| set.get_field_by_name_mut("file"))
        .flatten()
    {
        for file in files {
            if let prost_reflect::Value::Message(file) = file {
                let vendored = file
                    .get_field_by_name("package")
                    .and_then(|package| package.as_str().map(is_vendored))
                    .unwrap_or(false);
                if vendored {
                    file.clear_field_by_name("source_code_info");
                }
            }
        }
    }
    Ok(set.encode_to_vec())
}

fn is_vendored(package: &str) -> bool {
    package.starts_with("google.") || package.starts_with("buf.")
}

/// Collects the `.proto` files below `folder`, named from `root`.
fn proto_files(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |source| Error::File {
        path: folder.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            proto_files(root, &path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
            && let Ok(name) = path.strip_prefix(root)
        {
            files.push(name.to_owned());
        }
    }
    Ok(())
}
