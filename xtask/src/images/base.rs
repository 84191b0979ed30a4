//! What the image is built on: Debian, of the release that this machine runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::engine::Engine;
use crate::tools::Missing;
use crate::{process, setup, workspace};

/// Left out of a base that is made here: documentation, translations, and what apt fetches again.
const LEFT_OUT: [&str; 7] = [
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/locale/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./dev/*",
    "./proc/*",
];

/// A release of Debian.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Base {
    codename: String,
}

impl Base {
    /// The release that this machine runs: what is linked here needs its C library.
    ///
    /// # Errors
    /// [`Missing`] when it is not Debian.
    pub(crate) fn of_this_machine() -> Result<Self, Missing> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        Self::of(&release)
    }

    /// That of an os-release file.
    fn of(release: &str) -> Result<Self, Missing> {
        let value = |name: &str| {
            let mut lines = release.lines();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            value.map(|value| value.trim_matches(['"', '\'']).to_owned())
        };
        match (value("ID").as_deref(), value("VERSION_CODENAME")) {
            (Some("debian"), Some(codename)) => Ok(Self { codename }),
            (id, _) => Err(Missing {
                what: "a base image that runs what is linked here".to_owned(),
                why: format!(
                    "this machine is {}, and the image is made for Debian, with the programs that are built here",
                    id.unwrap_or("no Linux that tells its name")
                ),
                how_to_get: "build in a container or a virtual machine of Debian, see docs/guides/run-with-compose.md"
                    .to_owned(),
            }),
        }
    }

    /// The name of the image, as the Dockerfile takes it.
    pub(crate) fn tag(&self) -> String {
        format!("debian:{}-slim", self.codename)
    }

    /// Sees to it that the engine has it: pulled, or where nothing can be pulled made with debootstrap from Debian's
    /// packages and imported under the same name.
    ///
    /// # Errors
    /// [`Missing`] when there is neither way.
    pub(crate) fn ensure(&self, engine: &Engine) -> Result<()> {
        let tag = self.tag();
        if process::read(engine.docker().args(["image", "inspect", &tag])).is_ok() {
            return Ok(());
        }
        println!("Pulling {tag} ...");
        let Err(pull) = process::read(engine.docker().args(["pull", "--quiet", &tag])) else {
            return Ok(());
        };
        println!("That failed: {pull:#}");
        let tree = self.bootstrapped().map_err(|error| Missing {
            what: format!("the base image {tag}"),
            why: format!("it cannot be pulled: {pull:#}\nand it cannot be made here: {error:#}"),
            how_to_get: format!(
                "docker pull {tag} with a network, or run this as root on Debian with debootstrap"
            ),
        })?;
        println!("Importing {tag} ...");
        process::read(engine.docker().arg("import").arg(&tree).arg(&tag))?;
        Ok(())
    }

    /// A tar file with the release as debootstrap installs it, kept among the tools.
    fn bootstrapped(&self) -> Result<PathBuf> {
        let tools = workspace::root().join("target/tools");
        let tree = tools.join(format!("debian-{}.tar", self.codename));
        if tree.is_file() {
            return Ok(tree);
        }
        setup::ensure(&[setup::BASE])?;
        fs::create_dir_all(&tools).with_context(|| format!("making {}", tools.display()))?;
        let draft = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&tools)?;
        let (files, packed) = (draft.path().join("files"), draft.path().join("tar"));
        println!("Making one with debootstrap, which takes a minute or two ...");
        process::read(
            Command::new("debootstrap")
                .args(["--variant=minbase", "--include=ca-certificates"])
                .arg(&self.codename)
                .arg(&files),
        )?;
        pack(&files, &packed)?;
        // It gets its name last, so one that is there is complete.
        fs::rename(&packed, &tree).with_context(|| format!("making {}", tree.display()))?;
        Ok(tree)
    }
}

fn pack(files: &Path, packed: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--create", "--numeric-owner", "--file"])
        .arg(packed);
    for left_out in LEFT_OUT {
        tar.arg(format!("--exclude={left_out}"));
    }
    process::read(tar.arg("--directory").arg(files).arg("."))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(release: &str, expect: Result<&str, &str>) {
        match (Base::of(release), expect) {
            (Ok(base), expect) => assert_eq!(Ok(base.tag().as_str()), expect, "{release}"),
            (Err(missing), Ok(tag)) => assert_eq!(missing.to_string(), tag),
            (Err(missing), Err(part)) => {
                let said = missing.to_string();
                assert!(
                    said.contains(part) && said.contains("run-with-compose"),
                    "{said}"
                );
            }
        }
    }

    #[test]
    fn the_base_follows_the_release_of_this_machine() {
        let debian =
            |codename: &str| format!("NAME=\"Debian\"\nVERSION_CODENAME={codename}\nID=debian\n");
        check(&debian("bookworm"), Ok("debian:bookworm-slim"));
        check(&debian("\"trixie\""), Ok("debian:trixie-slim"));
        check("ID=fedora\nVERSION_ID=44\n", Err("this machine is fedora"));
        check(
            "ID=ubuntu\nVERSION_CODENAME=noble\nID_LIKE=debian\n",
            Err("this machine is ubuntu"),
        );
        check("", Err("no Linux that tells its name"));
    }
}
