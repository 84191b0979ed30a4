//! Reading a contract as buf writes it: an encoded set of file descriptors, custom options included. Without a file, the
//! contract of the working directory is compiled, so nobody needs buf for that.

use std::path::{Path, PathBuf};

use prost_reflect::DescriptorPool;
use scribemed_codegen::Contract;

/// A contract that cannot be read. The command ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}; make it with `buf build -o {}`", path.display(), path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no image, or a part of one.
    #[error("{} is no image of a contract, or is cut off: {reason}; make it anew with `buf build -o {}`", path.display(), path.display())]
    Corrupt {
        /// Which.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// There is no contract in the folder.
    #[error("{} has no folder `proto`; run this where the contract is, or name an image with --image FILE", folder.display())]
    NoContract {
        /// Which.
        folder: PathBuf,
    },
    /// The contract in the folder does not compile.
    #[error("the contract in {} does not compile: {reason}", folder.display())]
    Compile {
        /// Which.
        folder: PathBuf,
        /// What the compiler says, in one line.
        reason: String,
    },
}

/// Reads `image`, or, where none is named, compiles the contract in `folder`: the modules that its `buf.yaml` lists, else
/// its folder `proto`. `includes` are more folders whose files may be imported.
///
/// # Errors
/// [`Error`], in one line.
pub fn open(
    image: Option<&Path>,
    folder: &Path,
    includes: &[PathBuf],
) -> Result<DescriptorPool, Error> {
    match image {
        Some(path) => read(path),
        None => compile(folder, includes),
    }
}

fn compile(folder: &Path, includes: &[PathBuf]) -> Result<DescriptorPool, Error> {
    if !folder.join("proto").is_dir() {
        return Err(Error::NoContract {
            folder: folder.to_owned(),
        });
    }
    let failed = |reason: String| Error::Compile {
        folder: folder.to_owned(),
        reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    let modules = modules(folder).into_iter();
    let contract = modules.fold(Contract::new(), |contract, module| {
        contract.root(folder.join(module))
    });
    let contract = includes.iter().fold(contract, |contract, include| {
        contract.include(folder.join(include))
    });
    let image = contract
        .image()
        .map_err(|error| failed(format!("{error:?}")))?;
    DescriptorPool::decode(image.as_slice()).map_err(|error| failed(error.to_string()))
}

/// The paths of the modules of a `buf.yaml` (v2): the lines `- path: proto/v1`.
fn modules(folder: &Path) -> Vec<String> {
    let config = std::fs::read_to_string(folder.join("buf.yaml")).unwrap_or_default();
    let paths = config
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- path:"));
    let paths: Vec<String> = paths
        .map(|path| path.trim().trim_matches(['"', '\'']).to_owned())
        .collect();
    if paths.is_empty() {
        vec!["proto".to_owned()]
    } else {
        paths
    }
}

/// Reads the image at `path`.
///
/// # Errors
/// [`Error`], in one line.
pub fn read(path: &Path) -> Result<DescriptorPool, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let corrupt = |reason: String| Error::Corrupt {
        path: path.to_owned(),
        reason,
    };
    let pool =
        DescriptorPool::decode(bytes.as_slice()).map_err(|error| corrupt(error.to_string()))?;
    if pool.files().len() == 0 {
        return Err(corrupt("it holds no file".to_owned()));
    }
    Ok(pool)
}
