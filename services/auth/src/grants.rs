//! Who may get tokens, with which keys and for which permissions: the grants file.
//!
//! ```toml
//! [clients.documentation]
//! # The public halves of its Ed25519 keys: `x` of the JWK, base64url. Two while it changes its key.
//! keys = ["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"]
//! permissions = ["read:transcriptions", "write:transcriptions"]
//! ```

mod file;
mod reload;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use scribemed_auth::{KeySet, Permission};

pub(crate) use reload::GrantsFile;

/// The clients of the auth service, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    clients: BTreeMap<String, Client>,
}

/// What a client is known by, and what it may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The public halves of its keys; at least one, and none that another client has.
    pub keys: KeySet,
    /// What may be granted to it.
    pub permissions: BTreeSet<Permission>,
}

/// Why a grants file is not taken. The messages hold none of the file's keys.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("the grants file {} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What stands in the file is not right.
    #[error("{place}: {reason}; a good entry is {EXAMPLE}", place = place(path, *line))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
        /// What is wrong; names the client where it is known.
        reason: String,
    },
}

/// A good entry, for error messages. The key is the one of RFC 8037, appendix A.
const EXAMPLE: &str = "[clients.documentation] \
     keys = [\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"] permissions = [\"read:transcriptions\"]";

fn place(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

impl Grants {
    /// Reads a grants file. Blocks.
    ///
    /// # Errors
    /// Names the file, the line and the client, and shows a good entry.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
        file::parse(path, &text)
    }

    /// Writes a grants file that only its owner can read (mode 0600), in the place of one that is there. Blocks.
    ///
    /// The file appears whole or not at all, and is on disk when this returns. Its folder must exist.
    ///
    /// # Errors
    /// [`Error::Invalid`] when these clients make no file that [`load`](Self::load) would take; nothing is written then.
    pub fn write(path: &Path, clients: &BTreeMap<String, Client>) -> Result<(), Error> {
        let text = file::render(path, clients)?;
        file::parse(path, &text)?;
        file::replace(path, &text).map_err(|source| Error::io(path, source))
    }

    /// The client of this name.
    pub fn get(&self, client: &str) -> Option<&Client> {
        self.clients.get(client)
    }

    /// All clients, by name.
    pub fn clients(&self) -> &BTreeMap<String, Client> {
        &self.clients
    }
}

impl Error {
    fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
