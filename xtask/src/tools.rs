//! `cargo xtask tools`: the other programs that the checks run, in pinned versions, below `target/tools`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{conformance, process, workspace};

const BUF: Tool = Tool {
    name: "buf",
    variable: "SCRIBEMED_BUF",
    version: "1.75.0",
    program: "bin/buf",
    install: install_buf,
    how_to_get: "install python3 with pip (apt-get install python3-pip), or name a buf 1.75.0 in SCRIBEMED_BUF",
};

const GRPCURL: Tool = Tool {
    name: "grpcurl",
    variable: "SCRIBEMED_GRPCURL",
    version: "1.9.3",
    program: "grpcurl",
    install: install_grpcurl,
    how_to_get: "install Go 1.21 or newer (https://go.dev/dl), or name a grpcurl 1.9.3 in SCRIBEMED_GRPCURL",
};

/// grpc-go's own client and server for the interoperability cases: `client`, and `server` beside it.
const GRPC_INTEROP: Tool = Tool {
    name: "grpc-interop",
    variable: "SCRIBEMED_GRPC_INTEROP",
    version: "1.85.0",
    program: "client",
    install: install_grpc_interop,
    how_to_get: "install Go 1.26 or newer (https://go.dev/dl), or name grpc-go's interop client in SCRIBEMED_GRPC_INTEROP, with \
                 its interop server beside it, named `server`",
};

/// The program that plays the cases of protovalidate, of the version of our rules.
const PROTOVALIDATE_CONFORMANCE: Tool = Tool {
    name: "protovalidate-conformance",
    variable: "SCRIBEMED_PROTOVALIDATE_CONFORMANCE",
    version: conformance::VERSION,
    program: "protovalidate-conformance",
    install: install_protovalidate_conformance,
    how_to_get: "install Go 1.25 or newer (https://go.dev/dl), or name a protovalidate-conformance 1.2.2 in \
                 SCRIBEMED_PROTOVALIDATE_CONFORMANCE",
};

/// A Python with what clients in other languages and readers of OpenAPI use. Its version is raised with any of
/// `python.txt`.
const PYTHON: Tool = Tool {
    name: "python",
    variable: "SCRIBEMED_PYTHON",
    version: "2",
    program: "bin/python",
    install: install_python,
    how_to_get: "install python3 with venv (apt-get install python3-venv), or name a Python that has grpcio 1.85, \
                 grpcio-tools 1.85 and openapi-spec-validator 0.9 in SCRIBEMED_PYTHON",
};

/// Something that this machine does not have and that we could not get.
#[derive(Debug)]
pub(crate) struct Missing {
    /// What it is.
    pub(crate) what: String,
    /// What happened when we tried to get it.
    pub(crate) why: String,
    /// What the user can do.
    pub(crate) how_to_get: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} could not be had: {}\nhow to get it: {}",
            self.what, self.why, self.how_to_get
        )
    }
}

impl std::error::Error for Missing {}

struct Tool {
    name: &'static str,
    /// Names a program to use instead.
    variable: &'static str,
    version: &'static str,
    /// Below the folder of the tool.
    program: &'static str,
    install: fn(&Path, &str) -> Result<()>,
    how_to_get: &'static str,
}

impl Tool {
    fn get(&self) -> Result<PathBuf, Missing> {
        if let Some(path) = std::env::var_os(self.variable).filter(|path| !path.is_empty()) {
            return Ok(path.into());
        }
        self.ensure(&workspace::root().join("target/tools"))
            .map_err(|error| Missing {
                what: format!("{} {}", self.name, self.version),
                why: format!("{error:#}"),
                how_to_get: self.how_to_get.to_owned(),
            })
    }

    /// The folder carries the version and gets its name last, so a folder that is there is complete.
    fn ensure(&self, tools: &Path) -> Result<PathBuf> {
        let folder = tools.join(format!("{}-{}", self.name, self.version));
        let program = folder.join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        println!(
            "Fetching {} {} into {} ...",
            self.name,
            self.version,
            tools.display()
        );
        fs::create_dir_all(tools)
            .with_context(|| format!("making the folder {}", tools.display()))?;
        let draft = tempfile::Builder::new().prefix(".new-").tempdir_in(tools)?;
        (self.install)(draft.path(), self.version)?;
        if !draft.path().join(self.program).is_file() {
            anyhow::bail!("it was installed, but {} is not there", self.program);
        }
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("removing {}", folder.display()))?;
        }
        fs::rename(draft.keep(), &folder)
            .with_context(|| format!("making {}", folder.display()))?;
        Ok(program)
    }
}

/// The contract linter, fetched when it is not there yet.
///
/// # Errors
/// [`Missing`] when it cannot be had.
pub(crate) fn buf() -> Result<PathBuf, Missing> {
    BUF.get()
}

/// The gRPC client for the command line, fetched when it is not there yet.
///
/// # Errors
/// [`Missing`] when it cannot be had.
pub(crate) fn grpcurl() -> Result<PathBuf, Missing> {
    GRPCURL.get()
}

/// grpc-go's client and its server for the interoperability cases, fetched when they are not there yet.
///
/// # Errors
/// [`Missing`] when they cannot be had.
pub(crate) fn grpc_interop() -> Result<(PathBuf, PathBuf), Missing> {
    let client = GRPC_INTEROP.get()?;
    let server = client.with_file_name("server");
    Ok((client, server))
}

/// The program that plays protovalidate's cases, fetched when it is not there yet.
///
/// # Errors
/// [`Missing`] when it cannot be had.
pub(crate) fn protovalidate_conformance() -> Result<PathBuf, Missing> {
    PROTOVALIDATE_CONFORMANCE.get()
}

/// A Python with grpcio, grpcio-tools and openapi-spec-validator, made when it is not there yet.
///
/// # Errors
/// [`Missing`] when it cannot be had.
pub(crate) fn python() -> Result<PathBuf, Missing> {
    PYTHON.get()
}

/// The driver of a browser, which Debian's packages bring.
///
/// # Errors
/// [`Missing`] when it is not there.
pub(crate) fn chromedriver() -> Result<PathBuf, Missing> {
    of_debian(
        "chromedriver",
        "SCRIBEMED_CHROMEDRIVER",
        "chromium chromium-driver",
    )
}

/// The compiler of contracts that other implementations are built with, which Debian's packages bring.
///
/// # Errors
/// [`Missing`] when it is not there.
pub(crate) fn protoc() -> Result<PathBuf, Missing> {
    of_debian("protoc", "SCRIBEMED_PROTOC", "protobuf-compiler")
}

fn of_debian(name: &str, variable: &str, packages: &str) -> Result<PathBuf, Missing> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty());
    let path = named.map_or_else(|| Path::new("/usr/bin").join(name), PathBuf::from);
    if path.is_file() {
        return Ok(path);
    }
    Err(Missing {
        what: name.to_owned(),
        why: format!("there is no {}", path.display()),
        how_to_get: format!("apt-get install {packages}, or name one in {variable}"),
    })
}

/// Gets every tool and prints where it is.
///
/// # Errors
/// [`Missing`] for the first that cannot be had, after the others were tried.
pub(crate) fn run() -> Result<()> {
    let tools = [
        ("buf", buf()),
        ("grpcurl", grpcurl()),
        ("grpc-interop", grpc_interop().map(|(client, _)| client)),
        ("protovalidate-conformance", protovalidate_conformance()),
        ("python", python()),
        ("chromedriver", chromedriver()),
        ("protoc", protoc()),
    ];
    let mut missing = None;
    for (name, tool) in tools {
        match tool {
            Ok(path) => println!("{name}: {}", path.display()),
            Err(error) => {
                println!("{name}: {error}");
                missing = missing.or(Some(error));
            }
        }
    }
    missing.map_or(Ok(()), |missing| Err(missing.into()))
}

fn install_buf(folder: &Path, version: &str) -> Result<()> {
    let mut pip = pip(Path::new("python3"));
    pip.args(["--root-user-action=ignore", "--no-deps", "--target"]);
    process::read(pip.arg(folder).arg(format!("buf-bin=={version}")))?;
    Ok(())
}

/// `pip install` of that Python, of what needs no building.
fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "--only-binary=:all:"]);
    pip
}

/// An environment that is moved once it is complete: `bin/python -m` works wherever it lies.
fn install_python(folder: &Path, _version: &str) -> Result<()> {
    process::read(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let requirements = folder.join("python.txt");
    fs::write(&requirements, include_str!("tools/python.txt"))
        .with_context(|| format!("writing {}", requirements.display()))?;
    let mut pip = pip(&folder.join("bin/python"));
    process::read(pip.arg("--requirement").arg(&requirements))?;
    Ok(())
}

fn install_grpcurl(folder: &Path, version: &str) -> Result<()> {
    let package = format!("github.com/fullstorydev/grpcurl/cmd/grpcurl@v{version}");
    process::read(
        Command::new("go")
            .args(["install", &package])
            .env("GOBIN", folder),
    )?;
    Ok(())
}

fn install_grpc_interop(folder: &Path, version: &str) -> Result<()> {
    let package = |name: &str| format!("google.golang.org/grpc/interop/{name}@v{version}");
    process::read(
        Command::new("go")
            .args(["install", &package("client"), &package("server")])
            .env("GOBIN", folder),
    )?;
    Ok(())
}

/// Built in its module's own folder: `go install` asks more of a module than the proxy knows of this one.
fn install_protovalidate_conformance(folder: &Path, version: &str) -> Result<()> {
    let module = go_module("github.com/bufbuild/protovalidate/tools", version)?;
    let mut build = Command::new("go");
    build.arg("build").arg("-C").arg(module).arg("-o");
    process::read(build.arg(folder).arg("./protovalidate-conformance"))?;
    Ok(())
}

/// The folder of a Go module, in Go's own cache; fetched when it is not there yet.
///
/// # Errors
/// There is no Go, or the module cannot be had.
pub(crate) fn go_module(module: &str, version: &str) -> Result<PathBuf> {
    let name = format!("{module}@v{version}");
    let told = process::read(
        Command::new("go")
            .args(["mod", "download", "-json", &name])
            .current_dir(std::env::temp_dir()),
    )?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    let folder = told["Dir"].as_str();
    Ok(folder
        .with_context(|| format!("go tells no folder of {name}"))?
        .into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn tool(install: fn(&Path, &str) -> Result<()>) -> Tool {
        Tool {
            name: "saw",
            variable: "XTASK_TEST_SAW",
            version: "2",
            program: "bin/saw",
            install,
            how_to_get: "buy",
        }
    }

    fn install_saw(folder: &Path, version: &str) -> Result<()> {
        fs::create_dir(folder.join("bin"))?;
        fs::write(folder.join("bin/saw"), version)?;
        Ok(())
    }

    #[test]
    fn a_tool_is_installed_once_in_a_folder_of_its_version() {
        let tools = tempfile::tempdir().unwrap();
        let program = tool(install_saw).ensure(tools.path()).unwrap();
        assert_eq!(program, tools.path().join("saw-2/bin/saw"));
        assert_eq!(fs::read_to_string(&program).unwrap(), "2");
        let again = tool(|_, _| anyhow::bail!("it was fetched again"))
            .ensure(tools.path())
            .unwrap();
        assert_eq!(again, program);
    }

    #[test]
    fn a_failed_installation_leaves_nothing_behind() {
        let tools = tempfile::tempdir().unwrap();
        let half = |folder: &Path, _: &str| {
            fs::write(folder.join("half"), "")?;
            anyhow::bail!("no network")
        };
        assert_eq!(
            tool(half).ensure(tools.path()).unwrap_err().to_string(),
            "no network"
        );
        let empty = tool(|_, _| Ok(()))
            .ensure(tools.path())
            .unwrap_err()
            .to_string();
        assert_eq!(empty, "it was installed, but bin/saw is not there");
        assert_eq!(fs::read_dir(tools.path()).unwrap().count(), 0);
    }
}
