//! Certificates and keys as files.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;

/// What the PEM file holds.
pub(super) fn der(path: &Path) -> anyhow::Result<Vec<u8>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let pem = pem::parse(text).with_context(|| format!("{} is no PEM", path.display()))?;
    Ok(pem.into_contents())
}

/// Writes a PEM file, for its owner alone where it is a key. Whoever reads it sees the old content or the new.
pub(super) fn replace(path: &Path, what: &str, content: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension("new");
    let write = || {
        // What a run that was cut off has left has perhaps other rights.
        if draft.exists() {
            std::fs::remove_file(&draft)?;
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(if what == "PRIVATE KEY" { 0o600 } else { 0o644 })
            .open(&draft)?;
        file.write_all(pem::encode(&pem::Pem::new(what, content)).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
