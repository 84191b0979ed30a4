//! The data folder: everything durable of a platform that runs in one process.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use scribemed_auth::SigningKey;

/// The name under which this command line calls the services.
pub(crate) const OPERATOR: &str = "scribemed";

/// Which folder.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DataArgs {
    /// The folder that holds everything durable: databases, keys, grants, the speech model.
    #[arg(
        long,
        env = "SCRIBEMED_DATA",
        default_value = ".scribemed",
        value_name = "FOLDER"
    )]
    pub(crate) data: PathBuf,
}

/// A data folder.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    root: PathBuf,
}

impl Data {
    pub(crate) fn new(args: &DataArgs) -> anyhow::Result<Self> {
        // The services take absolute paths only: what they do must not depend on where they were started.
        let root = std::path::absolute(&args.data).with_context(|| {
            format!(
                "the data folder {} has no absolute path",
                args.data.display()
            )
        })?;
        Ok(Self { root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of one service.
    pub(crate) fn of(&self, service: &str) -> PathBuf {
        self.root.join(service)
    }

    /// Where a service records who called what.
    pub(crate) fn audit_file(&self, service: &str) -> PathBuf {
        self.of(service).join("audit.jsonl")
    }

    /// The private key of a caller.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.root.join("identity").join(format!("{name}.pem"))
    }

    /// Who may do what.
    pub(crate) fn grants_file(&self) -> PathBuf {
        self.root.join("auth").join("grants.toml")
    }

    /// The speech model that `cargo xtask model` installs.
    pub(crate) fn model_file(&self) -> PathBuf {
        self.root.join("models").join("ggml-tiny.en.bin")
    }

    /// The folder below which `file:` URIs may name recordings.
    pub(crate) fn audio_folder(&self) -> PathBuf {
        self.root.join("audio")
    }

    /// Makes the folder, for its owner alone.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        for folder in [
            self.root.clone(),
            self.root.join("identity"),
            self.of("auth"),
            self.audio_folder(),
        ] {
            create_private(&folder).with_context(|| {
                format!(
                    "the data folder {} cannot be made; --data names another",
                    folder.display()
                )
            })?;
        }
        Ok(())
    }

    /// The operator's own key.
    pub(crate) fn operator_key(&self) -> anyhow::Result<SigningKey> {
        let file = self.key_file(OPERATOR);
        SigningKey::load(&file).with_context(|| {
            format!(
                "there is no usable key at {}; `scribemed up` makes it, and --data names the folder of a platform that ran",
                file.display()
            )
        })
    }
}

/// Makes a folder for its owner alone, with those above it.
pub(crate) fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}
