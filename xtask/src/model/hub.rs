//! The model from the hub of whisper.cpp's author, ready to use.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::place::Draft;
use crate::process;

const URL: &str = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main/ggml-tiny.en.bin";
/// As the hub shows it for the file.
pub(crate) const SHA256: &str = "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f";

/// Downloads the file, verifies it and puts it at `dest`.
///
/// # Errors
/// When curl is missing, the hub cannot be reached, or the file is not the pinned one.
pub(crate) fn fetch(dest: &Path) -> Result<()> {
    println!("Fetching the speech model tiny.en: 78 MB from the whisper.cpp hub ...");
    let draft = Draft::new(dest)?;
    process::read(
        Command::new("curl")
            .args([
                "--fail",
                "--location",
                "--silent",
                "--show-error",
                "--proto",
                "=https",
            ])
            .args([
                "--connect-timeout",
                "10",
                "--retry",
                "2",
                "--speed-limit",
                "1000",
                "--speed-time",
                "30",
            ])
            .arg("--output")
            .arg(draft.path())
            .arg(URL),
    )?;
    draft
        .finish(Some(SHA256))
        .with_context(|| format!("verifying {URL}"))?;
    Ok(())
}
