//! Where a service records who called what.

use std::path::Path;

use scribemed_audit::{AuditLog, Config, Key};

use crate::{Env, env};

const FILE: &str = "SCRIBEMED_AUDIT_LOG";
const FILE_EXAMPLE: &str = "/var/lib/scribemed/audit.jsonl";
const KEY: &str = "SCRIBEMED_AUDIT_KEY";
const KEY_EXAMPLE: &str = "/run/secrets/audit.key";

/// Opens the audit log of the service `name` that the environment names; `None`: it names none.
///
/// | variable | what it is | default |
/// |---|---|---|
/// | `SCRIBEMED_AUDIT_LOG` | the file, of this process alone | nothing is recorded |
/// | `SCRIBEMED_AUDIT_KEY` | a file with the secret for its hashes, 32 bytes or more, mode 0600 | hashes without a secret |
///
/// # Errors
/// A file that cannot be used; the error shows a good value.
pub fn open_audit(env: &Env, name: &str) -> Result<Option<AuditLog>, env::Error> {
    env.get(FILE)
        .map(|file| open_audit_at(env, name, Path::new(file)))
        .transpose()
}

/// As [`open_audit`], for a service whose file is known.
///
/// # Errors
/// As for [`open_audit`].
pub fn open_audit_at(env: &Env, name: &str, file: &Path) -> Result<AuditLog, env::Error> {
    let key = env
        .get(KEY)
        .map(|key| {
            Key::load(Path::new(key))
                .map_err(|error| env.malformed(KEY, caused(&error), KEY_EXAMPLE))
        })
        .transpose()?;
    let mut config = Config::new(file, name);
    config.key = key;
    AuditLog::open(config).map_err(|error| env::Error::Malformed {
        name: FILE.to_owned(),
        value: file.display().to_string(),
        reason: caused(&error),
        example: FILE_EXAMPLE.to_owned(),
    })
}

/// An error and what caused it.
fn caused(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
