//! `samples`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use scribemed_contract::samples::golden;
use scribemed_contract::{image, samples};

use super::{Outcome, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image of a contract that is released.
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// The folder of the golden files. Only what they lack is added.
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let pool = image::read(&self.image).map_err(|error| error.to_string())?;
        let samples = samples::of(&pool).map_err(|error| error.to_string())?;
        fs::create_dir_all(&self.into).map_err(|error| failed(&self.into, "made", &error))?;
        for (package, samples) in samples {
            let path = self.into.join(golden::file_name(&package));
            let old = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
                Err(error) => return Err(failed(&path, "read", &error)),
            };
            let new = golden::add(&old, &samples)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            if let Some(new) = new {
                fs::write(&path, new).map_err(|error| failed(&path, "written", &error))?;
                write(None, &format!("Added to {}.\n", path.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn failed(path: &Path, what: &str, error: &std::io::Error) -> String {
    format!("{} cannot be {what}: {error}", path.display())
}
