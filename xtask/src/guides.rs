//! `cargo xtask guides`: runs every command that the guides and the README show, as they show it.
//!
//! What is run are the fenced blocks `sh` and `console` of a guide, in their order, in one shell, in a copy of the repository.
//! Behind the language there may stand:
//!
//! | | |
//! |---|---|
//! | `no-run reason="..."` | the block is not run, and why |
//! | `needs="docker"` | it is run where this program is there; elsewhere it counts as not run |
//! | `fails`, `fails="100"` | its last command must fail, with this exit code |
//! | `background until="..."` | it goes on until the end of the guide; the next block waits until it has said this |
//!
//! A block of any other language with `file="PATH"` is that file: it is written, for the commands that follow.
//!
//! What a `console` block shows after a command, or a `text` block right after a `sh` block, is what must be said:
//! `...` stands for any text, on a line of its own for any lines. White space counts as one space.

mod block;
mod expect;
mod shell;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use self::block::{Block, Ends, Run};
use self::shell::Shell;
use crate::tools::Missing;
use crate::{mirror, process, tools, workspace};

/// Where the guides lie.
const FOLDER: &str = "docs/guides";
const README: &str = "README.md";
/// It leaves a repository with a service more, so that the next one would be built anew.
const LAST: &str = "add-a-service.md";
/// Where the services of the guides listen, their admin ports among them.
const PORTS: [u16; 8] = [50051, 50052, 50053, 50054, 51051, 51052, 51053, 51054];

/// Which guides.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// A guide, as calling-a-service or README. Default: all.
    #[arg(value_name = "GUIDE")]
    guides: Vec<String>,
    /// Shows what would be run, and what not and why. Runs nothing.
    #[arg(long)]
    list: bool,
}

/// Runs the guides.
///
/// # Errors
/// [`Missing`] when a block could not be run; else when a guide does not do what it says.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = workspace::root();
    let mut guides = Vec::new();
    for path in paths(&root)? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if args.guides.is_empty() || args.guides.iter().any(|wanted| *wanted == name) {
            let text = fs::read_to_string(root.join(&path))
                .with_context(|| format!("reading {}", path.display()))?;
            guides.push((path.clone(), block::read(&path, &text)?));
        }
    }
    ensure!(!guides.is_empty(), "there is no such guide in {FOLDER}");
    if args.list {
        for (path, blocks) in &guides {
            for block in blocks {
                println!("{}", block.summary(path));
            }
        }
        return Ok(());
    }
    let tools = [tools::grpcurl()?, tools::buf()?, tools::python()?];
    for port in PORTS {
        TcpListener::bind(("127.0.0.1", port)).with_context(|| {
            format!(
                "the guides need port {port}; stop what listens there, another platform perhaps"
            )
        })?;
    }
    let mut missing = Vec::new();
    let mut failures = Vec::new();
    for (path, blocks) in &guides {
        println!("-- {}", path.display());
        match guide(&root, &tools, path, blocks) {
            Ok(lacking) => missing.extend(lacking),
            Err(error) => {
                println!("{error:#}");
                failures.push(path.display().to_string());
            }
        }
    }
    ensure!(
        failures.is_empty(),
        "these guides do not do what they say: {}",
        failures.join(", ")
    );
    if missing.is_empty() {
        println!("Every command in the guides does what it says.");
        return Ok(());
    }
    missing.sort();
    missing.dedup();
    Err(Missing {
        what: missing.join(", "),
        why: "blocks of the guides need it; the others were run".to_owned(),
        how_to_get: "install it; docs/guides say what each needs".to_owned(),
    }
    .into())
}

/// Runs the blocks of a guide in a fresh copy. Returns the programs that were missing.
fn guide(root: &Path, tools: &[PathBuf], path: &Path, blocks: &[Block]) -> Result<Vec<String>> {
    let copy = mirror::make(root, &workspace::target(root)?.join("copies"))?;
    let mut shell = Shell::start(root, &copy.folder, tools)?;
    let mut missing = Vec::new();
    for block in blocks {
        println!("{}", block.summary(path));
        let Run::Yes { needs, .. } = &block.run else {
            continue;
        };
        if let Some(program) = needs.as_ref().filter(|program| !process::exists(program)) {
            println!("   not run: there is no {program}");
            missing.push(program.clone());
            continue;
        }
        let at = || format!("{}:{}:\n{}", path.display(), block.line, block.script);
        perform(&mut shell, block).with_context(at)?;
    }
    shell.end()?;
    Ok(missing)
}

fn perform(shell: &mut Shell, block: &Block) -> Result<()> {
    let Run::Yes { ends, until, .. } = &block.run else {
        return Ok(());
    };
    if let Some(until) = until {
        return shell.background(&block.script, until);
    }
    let (status, said) = shell.run(&block.script)?;
    match (status, ends) {
        (0, Ends::Badly) => bail!("it should fail, and did not; it said:\n{said}"),
        (found, Ends::With(code)) if found != *code => {
            bail!("it should end with {code}, and ended with {found}; it said:\n{said}")
        }
        (1.., Ends::Well) => bail!("it failed with {status}; it said:\n{said}"),
        _ => {}
    }
    if let Some(expected) = &block.expected {
        expect::check(expected, &said)?;
    }
    Ok(())
}

/// The README and the guides, in the order in which they are run.
fn paths(root: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = vec![PathBuf::from(README)];
    let folder = root.join(FOLDER);
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let name = entry?.file_name();
        let path = Path::new(FOLDER).join(name);
        if path.extension().is_some_and(|ending| ending == "md") {
            paths.push(path);
        }
    }
    paths.sort_by_key(|path| (path.ends_with(LAST), path.clone()));
    Ok(paths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_block_of_every_guide_is_run_or_excused() {
        let root = workspace::root();
        for path in paths(&root).unwrap() {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            block::read(&path, &text).unwrap();
        }
    }
}
