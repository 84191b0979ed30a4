//! What it takes to check a small valid message.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// What the program beside this one says.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub(crate) struct Checked {
    /// For one message.
    pub(crate) nanoseconds: f64,
    /// For one message.
    pub(crate) allocations: u64,
}

/// Runs the program that measures it.
pub(crate) fn run() -> Result<Checked> {
    let program = std::env::current_exe()?.with_file_name("scribemed-bench-validate");
    let output = Command::new(&program)
        .output()
        .with_context(|| format!("starting {}", program.display()))?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}
