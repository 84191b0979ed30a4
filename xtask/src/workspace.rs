//! Where the repository is, and Cargo in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// The root of the repository: the folder above this package's.
pub(crate) fn root() -> PathBuf {
    // Cargo says at run time where the package is; what was true when it was compiled serves when it is run by itself.
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map(Path::to_path_buf).unwrap_or(package)
}

/// Cargo, to be run in `folder` as if it were started by hand.
pub(crate) fn cargo(folder: &Path) -> Command {
    command(
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        folder,
    )
}

/// A program, to be run in `folder` as if it were started by hand: what the Cargo that runs us says of this package would
/// make it build again what is built already.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let about_us = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];
        if name
            .to_str()
            .is_some_and(|name| about_us.iter().any(|start| name.starts_with(start)))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Where Cargo builds, which its configuration and its environment may say.
///
/// # Errors
/// Cargo does not tell.
pub(crate) fn target(root: &Path) -> Result<PathBuf> {
    let metadata = metadata(root)?;
    let folder = metadata["target_directory"]
        .as_str()
        .context("`cargo metadata` does not name the target folder")?;
    Ok(folder.into())
}

/// A program that is shipped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) name: String,
    /// The package that builds it.
    pub(crate) package: String,
}

/// The programs of the packages below services/.
///
/// # Errors
/// Cargo does not tell.
pub(crate) fn programs(root: &Path) -> Result<Vec<Program>> {
    let metadata = metadata(root)?;
    let packages = metadata["packages"]
        .as_array()
        .context("`cargo metadata` names no packages")?;
    let services = root.join("services");
    let mut programs = Vec::new();
    for package in packages {
        let (Some(name), Some(manifest)) =
            (package["name"].as_str(), package["manifest_path"].as_str())
        else {
            continue;
        };
        if !Path::new(manifest).starts_with(&services) {
            continue;
        }
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array();
            if let Some(program) = target["name"].as_str()
                && kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
            {
                programs.push(Program {
                    name: program.to_owned(),
                    package: name.to_owned(),
                });
            }
        }
    }
    Ok(programs)
}

fn metadata(root: &Path) -> Result<serde_json::Value> {
    let metadata =
        process::read(cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    serde_json::from_str(&metadata).context("`cargo metadata` does not print JSON")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn each_service_has_its_program_in_the_image() {
        let programs = programs(&root()).unwrap();
        for name in [
            "scribemed",
            "scribemed-auth-service",
            "scribemed-transcription",
        ] {
            let program = Program {
                name: name.to_owned(),
                package: name.to_owned(),
            };
            assert!(programs.contains(&program), "{programs:?}");
        }
        assert!(!programs.iter().any(|program| program.name == "xtask"));
    }
}
