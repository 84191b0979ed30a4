//! What the operating system must provide.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::tools::Missing;

/// Something that a task needs, and the Debian packages that bring it.
#[derive(Debug)]
pub(crate) struct Need {
    what: &'static str,
    is_there: fn(&Need) -> bool,
    packages: &'static str,
}

const fn program(what: &'static str, packages: &'static str) -> Need {
    Need {
        what,
        is_there: |need| process::exists(need.what),
        packages,
    }
}

/// To build: whisper.cpp is compiled from its source.
pub(crate) const BUILD: &[Need] = &[
    program("cmake", "cmake"),
    program("make", "make"),
    program("g++", "g++"),
];

/// To fetch the speech model and buf.
pub(crate) const FETCH: &[Need] = &[
    program("curl", "curl ca-certificates"),
    Need {
        what: "python3 with pip",
        is_there: |_| has_pip(),
        packages: "python3-pip",
    },
];

/// To test: the history, what builds grpcurl, what builds
/// another implementation of the rules, what reads the metrics, who answers for names, what other languages call with,
/// a browser, and people who speak.
pub(crate) const TEST: &[Need] = &[
    program("git", "git"),
    program("go", "golang-go"),
    Need {
        what: "/usr/bin/protoc",
        is_there: |need| {
            std::env::var_os("SCRIBEMED_PROTOC").is_some() || Path::new(need.what).is_file()
        },
        packages: "protobuf-compiler",
    },
    // Looked for where the tests look: /usr/sbin is not on everybody's PATH. The package starts no daemon.
    Need {
        what: "/usr/sbin/dnsmasq",
        is_there: |need| {
            std::env::var_os("SCRIBEMED_DNSMASQ").is_some() || Path::new(need.what).is_file()
        },
        packages: "dnsmasq-base",
    },
    Need {
        what: "/usr/bin/prometheus",
        is_there: |need| {
            std::env::var_os("SCRIBEMED_PROMETHEUS").is_some() || Path::new(need.what).is_file()
        },
        packages: "prometheus",
    },
    Need {
        what: "python3 with venv",
        is_there: |_| {
            process::read(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok()
        },
        packages: "python3-venv",
    },
    Need {
        what: "/usr/bin/chromedriver",
        is_there: |need| {
            std::env::var_os("SCRIBEMED_CHROMEDRIVER").is_some() || Path::new(need.what).is_file()
        },
        packages: "chromium chromium-driver fonts-dejavu-core",
    },
    LIBRIVOX,
];

/// Recordings of people.
pub(crate) const SPEECH: &[Need] = &[LIBRIVOX];

const LIBRIVOX: Need = Need {
    what: "/usr/share/pocketsphinx/test/data/librivox",
    is_there: |need| Path::new(need.what).is_dir(),
    packages: "pocketsphinx-testdata",
};

/// To run containers where no engine runs. `docker-init` is a link to `tini`, which is only recommended.
pub(crate) const CONTAINERS: &[Need] = &[
    program("dockerd", "docker.io"),
    program("docker", "docker.io"),
    program("docker-init", "tini"),
    program("docker-compose", "docker-compose"),
    program("iptables", "iptables"),
    program("setpriv", "util-linux"),
];

/// To make a base image where none can be pulled.
pub(crate) const BASE: &[Need] = &[program("debootstrap", "debootstrap"), program("tar", "tar")];

/// Installs what is missing, where we may: as root on Debian and its like.
///
/// # Errors
/// [`Missing`] with the command to run when something is missing and cannot be installed from here.
pub(crate) fn ensure(needs: &[&[Need]]) -> Result<(), Missing> {
    let missing: Vec<&Need> = needs
        .iter()
        .copied()
        .flatten()
        .filter(|need| !(need.is_there)(need))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = |field: fn(&Need) -> &'static str, between| {
        missing
            .iter()
            .map(|need| field(need))
            .collect::<Vec<_>>()
            .join(between)
    };
    let (what, packages) = (
        list(|need| need.what, ", "),
        list(|need| need.packages, " "),
    );
    let lacking = |why: String| Missing {
        what: what.clone(),
        why,
        how_to_get: format!("sudo apt-get install {packages}, or the like of your system"),
    };
    if !process::exists("apt-get") || !is_root() {
        return Err(lacking(
            "only root may install packages, with apt-get".to_owned(),
        ));
    }
    println!("Installing {packages} with apt-get ...");
    install(&packages).map_err(|error| lacking(format!("{error:#}")))
}

fn install(packages: &str) -> Result<()> {
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.arg("--quiet=2")
            .env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    process::read(apt().arg("update"))?;
    process::read(
        apt()
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages.split(' ')),
    )?;
    Ok(())
}

fn has_pip() -> bool {
    process::read(Command::new("python3").args(["-m", "pip", "--version"])).is_ok()
}

/// Whether we may install packages and start an engine.
pub(crate) fn is_root() -> bool {
    process::read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
