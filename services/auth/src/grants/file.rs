//! The form of the grants file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

use scribemed_auth::{Jwk, KeySet, Permission};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Client, Error, Grants};

/// The longest client name, in bytes: that of a DNS label, as for every discovery name.
const MAX_NAME: usize = 63;

const HEADER: &str = "# Who may get tokens: each client's public keys and permissions.\n\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(default)]
    clients: BTreeMap<Spanned<String>, WireClient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireClient {
    keys: Vec<Spanned<String>>,
    permissions: Vec<Spanned<String>>,
}

/// Reads and checks the text of the file at `path`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Grants, Error> {
    let invalid = |span: Option<Range<usize>>, reason: String| Error::Invalid {
        path: path.to_owned(),
        line: span.map(|span| line(text, span.start)),
        reason,
    };
    // Only the message: what the error prints beside it is the line, which may hold a key.
    let wire: Wire = toml::from_str(text)
        .map_err(|error| invalid(error.span(), error.message().replace('\n', ", ")))?;
    // A file that is being written is empty for a moment; it must not lock everybody out.
    if wire.clients.is_empty() {
        return Err(invalid(None, "it names no client".to_owned()));
    }
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut clients = BTreeMap::new();
    for (name, client) in wire.clients {
        let at = name.span();
        let name = name.into_inner();
        if !is_name(&name) {
            let reason = format!(
                "{name:?} is no name of a service: lower-case letters, digits and hyphens, a letter first, at most {MAX_NAME}"
            );
            return Err(invalid(Some(at), reason));
        }
        if client.keys.is_empty() {
            return Err(invalid(Some(at), format!("{name} has no key in `keys`")));
        }
        let mut keys = Vec::new();
        for x in client.keys {
            let key = Jwk::from_x(x.get_ref()).map_err(|error| {
                invalid(
                    Some(x.span()),
                    format!("a key of {name} is not a public Ed25519 key: {error}"),
                )
            })?;
            if let Some(owner) = owners.insert(key.kid().to_owned(), name.clone())
                && owner != name
            {
                let reason =
                    format!("{name} has a key of {owner}; each client has keys of its own");
                return Err(invalid(Some(x.span()), reason));
            }
            keys.push(key);
        }
        let keys = KeySet::new(keys)
            .map_err(|error| invalid(Some(at), format!("the keys of {name}: {error}")))?;
        let mut permissions = BTreeSet::new();
        for permission in client.permissions {
            let checked = Permission::new(permission.get_ref())
                .map_err(|error| invalid(Some(permission.span()), format!("of {name}, {error}")))?;
            permissions.insert(checked);
        }
        clients.insert(name, Client { keys, permissions });
    }
    Ok(Grants { clients })
}

/// The line of a byte, counted from 1.
fn line(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The text of the file.
pub(super) fn render(path: &Path, clients: &BTreeMap<String, Client>) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Out<'a> {
        clients: BTreeMap<&'a str, OutClient<'a>>,
    }
    #[derive(Serialize)]
    struct OutClient<'a> {
        keys: Vec<String>,
        permissions: Vec<&'a str>,
    }
    let clients = clients
        .iter()
        .map(|(name, client)| {
            let keys = client.keys.iter().map(Jwk::x).collect();
            let permissions = client.permissions.iter().map(Permission::as_str).collect();
            (name.as_str(), OutClient { keys, permissions })
        })
        .collect();
    let body = toml::to_string_pretty(&Out { clients }).map_err(|error| Error::Invalid {
        path: path.to_owned(),
        line: None,
        reason: error.to_string(),
    })?;
    Ok(format!("{HEADER}{body}"))
}

/// Puts a file of mode 0600 with this text at `path`, whole or not at all.
pub(super) fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // A named temporary file is created with mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Makes the new name durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
