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

mod cel;
mod error;
mod generator;
mod imports;
pub mod lifecycle;
mod names;
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
        let (files, mut compiler) = self.compiler()?;
        compiler.open_files(&files)?;
        compiler.open_files(&self.described)?;
        Ok((files, compiler))
    }

    /// The files to generate from, named as imports name them, and a compiler that has read nothing yet.
    fn compiler(&self) -> Result<(Vec<PathBuf>, protox::Compiler), Error> {
        let mut files = Vec::new();
        for root in &self.roots {
            proto_files(root, root, &mut files)?;
        }
        files.sort();
        let mut compiler = protox::Compiler::new(self.roots.iter().chain(&self.includes))?;
        compiler.include_imports(true).include_source_info(true);
        Ok((files, compiler))
    }

    /// Generates into `out`.
    ///
    /// # Errors
    /// As [`Contract::compile`].
    pub fn compile_to(self, out: &Path) -> Result<(), Error> {
        let (files, compiler) = self.open()?;
        let set = Descriptors::of(&compiler)?;
        let (generated, problems) = generator::Generated::new(&set.pool, &files);
        if !problems.is_empty() {
            return Err(Error::Contract(problems));
        }
        let mut config = prost_build::Config::new();
        set.write(&files, generated, &mut config, out)
    }

    /// Generates into `out` whatever can be, for tests of the generator itself: a contract that is in use wants
    /// [`Contract::compile`]. A refused message still gets its type, and a `Validate` with the checks that could be made;
    /// whoever uses it asks first whether it was refused. Of a file that cannot be read nothing is generated, nor of those
    /// that import it. Beside what `compile` writes, `packages.rs` includes the packages as nested modules.
    ///
    /// Returns all that was refused, in the order of the files. Where a whole file could not be read, the element is the
    /// file.
    ///
    /// # Errors
    /// Files cannot be read or written. What is wrong with the contract is no error.
    pub fn compile_what_can_be(self, out: &Path) -> Result<Vec<Problem>, Error> {
        let (all, mut compiler) = self.compiler()?;
        let mut unread = Vec::new();
        let mut files = Vec::new();
        for file in all {
            match compiler.open_file(&file) {
                Ok(_) => files.push(file),
                Err(error) => unread.push(Problem::of_file(&file, &error)),
            }
        }
        compiler.open_files(&self.described)?;
        let set = Descriptors::of(&compiler)?;
        let (generated, problems) = generator::Generated::new(&set.pool, &files);
        let mut config = prost_build::Config::new();
        config.include_file("packages.rs");
        set.write(&files, generated, &mut config, out)?;
        unread.extend(problems);
        Ok(unread)
    }
}

/// What the compiler has read.
struct Descriptors {
    set: prost_reflect::prost_types::FileDescriptorSet,
    /// The set with its options, which prost's types drop.
    encoded: Vec<u8>,
    pool: DescriptorPool,
}

impl Descriptors {
    fn of(compiler: &protox::Compiler) -> Result<Self, Error> {
        let encoded = compiler.encode_file_descriptor_set();
        Ok(Self {
            set: compiler.file_descriptor_set(),
            pool: DescriptorPool::decode(encoded.as_slice())?,
            encoded,
        })
    }

    /// Writes the code of `files`, and all descriptors.
    fn write(
        mut self,
        files: &[PathBuf],
        mut generated: generator::Generated,
        config: &mut prost_build::Config,
        out: &Path,
    ) -> Result<(), Error> {
        // The well-known types are prost's own; prost still wants to see how they are built.
        self.set.file.retain(|file| {
            file.package() == "google.protobuf"
                || files.iter().any(|path| path.to_str() == Some(file.name()))
        });
        let unserved = generated.unserved();
        config.out_dir(out).bytes(["."]).enable_type_names();
        config.service_generator(Box::new(generator::Generator::new(generated)));
        config.compile_fds(self.set).map_err(Error::Generate)?;
        for (file, text) in unserved {
            let path = out.join(file);
            let failed = |source| Error::File {
                path: path.clone(),
                source,
            };
            let messages = std::fs::read_to_string(&path).map_err(failed)?;
            std::fs::write(&path, messages + &text).map_err(failed)?;
        }

        let path = out.join("descriptor.binpb");
        std::fs::write(&path, without_source(&self.encoded)?)
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
