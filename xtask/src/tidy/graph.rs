//! Which of our crates depends on which.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Finding;
use crate::{process, workspace};

/// The dependencies that were looked at and accepted, one `crate -> dependency` a line.
pub(crate) const GOLDEN: &str = "xtask/golden/crates.txt";

/// Crates that none of its other members may know.
const MIDDLE: [&str; 7] = [
    "scribemed-proto",
    "scribemed-resilience",
    "scribemed-discovery",
    "scribemed-auth",
    "scribemed-audit",
    "scribemed-telemetry",
    "scribemed-tls",
];
/// The command line, the one package of services/ that knows the services.
const COMMAND_LINE: &str = "scribemed";

/// A dependency of one of our crates on another.
#[derive(Debug)]
struct Edge {
    from: String,
    to: String,
    /// Needed by the crate itself, not by its build script.
    normal: bool,
    /// The folders of the two crates, relative to the root.
    folders: [PathBuf; 2],
    /// Where the manifest says so.
    line: usize,
}

impl Edge {
    fn manifest(&self) -> PathBuf {
        self.folders[0].join("Cargo.toml")
    }
}

/// Compares with the golden graph and with the rules that hold whatever it says.
///
/// # Errors
/// When the workspace or the golden graph cannot be read.
pub(super) fn check(root: &Path) -> Result<Vec<Finding>> {
    let edges = read(root)?;
    let mut findings: Vec<Finding> = edges.iter().filter_map(rule).collect();
    let path = root.join(GOLDEN);
    let golden = if path.exists() {
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?
    } else {
        String::new()
    };
    let bless = "once it is meant so: cargo xtask tidy --bless";
    let found = lines(&edges);
    for edge in edges.iter().filter(|edge| edge.normal) {
        let line = format!("{} -> {}", edge.from, edge.to);
        if !golden.lines().any(|accepted| accepted == line) {
            findings.push(Finding::new(
                edge.manifest(),
                edge.line,
                format!("`{line}` is not in {GOLDEN}"),
                bless,
            ));
        }
    }
    for (number, line) in (1..)
        .zip(golden.lines())
        .filter(|(_, line)| !found.contains(*line))
    {
        findings.push(Finding::new(
            GOLDEN,
            number,
            format!("`{line}` is no longer so"),
            bless,
        ));
    }
    Ok(findings)
}

/// Accepts the graph as it is.
///
/// # Errors
/// When the workspace cannot be read or the file not written.
pub(super) fn bless(root: &Path) -> Result<()> {
    let text: String = lines(&read(root)?)
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect();
    let path = root.join(GOLDEN);
    fs::create_dir_all(path.parent().unwrap_or(root))?;
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}

fn lines(edges: &[Edge]) -> BTreeSet<String> {
    edges
        .iter()
        .filter(|edge| edge.normal)
        .map(|edge| format!("{} -> {}", edge.from, edge.to))
        .collect()
}

/// What an edge breaks, whatever the golden graph says.
fn rule(edge: &Edge) -> Option<Finding> {
    let (from, to) = (edge.from.as_str(), edge.to.as_str());
    let [in_folder, of_folder] = &edge.folders;
    let middle = |name: &str| MIDDLE.contains(&name);
    let right = if in_folder.starts_with("crates") && of_folder.starts_with("services") {
        "crates/ know nothing of the services"
    } else if in_folder.starts_with("services")
        && of_folder.starts_with("services")
        && from != COMMAND_LINE
    {
        "services talk through the contract, scribemed-proto, only"
    } else if from == "scribemed-rpc" {
        "scribemed-rpc depends on no crate of ours"
    } else if from == "scribemed-proto" && edge.normal && to != "scribemed-rpc" {
        "the contract depends on scribemed-rpc only; scribemed-codegen belongs into [build-dependencies]"
    } else if middle(from) && middle(to) {
        "the crates between scribemed-rpc and the client and server do not know each other"
    } else {
        return None;
    };
    Some(Finding::new(
        edge.manifest(),
        edge.line,
        format!("`{from}` depends on `{to}`"),
        right,
    ))
}

/// The dependencies between the members of the workspace; those of tests only are left out.
fn read(root: &Path) -> Result<Vec<Edge>> {
    let text = process::read(workspace::cargo(root).args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: Value =
        serde_json::from_str(&text).context("reading the output of cargo metadata")?;
    let root = metadata["workspace_root"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no root")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata names no packages")?;
    let folder = |package: &Value| -> Option<PathBuf> {
        let manifest = Path::new(package["manifest_path"].as_str()?);
        manifest
            .parent()?
            .strip_prefix(&root)
            .ok()
            .map(Path::to_owned)
    };
    let mut edges = Vec::new();
    for package in packages {
        let from = package["name"].as_str().context("a package has no name")?;
        let from_folder =
            folder(package).with_context(|| format!("{from} lies outside the workspace"))?;
        let manifest = root.join(&from_folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&manifest)
            .with_context(|| format!("reading {}", manifest.display()))?;
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(to) = dependency["name"].as_str() else {
                continue;
            };
            let Some(target) = packages.iter().find(|other| other["name"] == to) else {
                continue;
            };
            let Some(to_folder) = folder(target).filter(|_| dependency["path"].is_string()) else {
                continue;
            };
            if dependency["kind"] != "dev" {
                edges.push(Edge {
                    from: from.to_owned(),
                    to: to.to_owned(),
                    normal: dependency["kind"].is_null(),
                    line: line_of(&manifest, to),
                    folders: [from_folder.clone(), to_folder],
                });
            }
        }
    }
    Ok(edges)
}

/// The line of a manifest where the crate itself names the dependency; the first when none does.
fn line_of(manifest: &str, dependency: &str) -> usize {
    let mut of_workspace = false;
    let named = |(_, line): &(usize, &str)| {
        if line.starts_with('[') {
            of_workspace = line.starts_with("[workspace");
        }
        !of_workspace && line.split(['.', '=', ' ']).next() == Some(dependency)
    };
    (1..)
        .zip(manifest.lines())
        .find(named)
        .map_or(1, |(number, _)| number)
}
