//! What a platform needs before its first start; kept from then on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use scribemed_auth::{KeySet, Permission, SigningKey};
use scribemed_auth_service::{Client, Grants};

use crate::data::{Data, OPERATOR};
use crate::services;

/// What each caller may do, in a platform for one person at one machine.
fn grants() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let services = services::ALL
        .iter()
        .filter_map(|service| Some((service.name, service.calls?.to_vec())));
    let operator = services::ALL.iter().flat_map(|service| service.operator);
    services.chain([(OPERATOR, operator.copied().collect())])
}

/// Makes the keys that are missing, and the grants if there are none.
pub(crate) async fn keys(data: &Data) -> anyhow::Result<BTreeMap<&'static str, SigningKey>> {
    let data = data.clone();
    tokio::task::spawn_blocking(move || make(|name| data.key_file(name), &data.grants_file()))
        .await?
}

/// The names of those that call services, each with a key of its own.
pub(crate) fn callers() -> impl Iterator<Item = &'static str> {
    grants().map(|(name, _)| name)
}

/// Makes the key of each caller, in the file that `key_file` names, and the grants, where they are missing.
pub(crate) fn make(
    key_file: impl Fn(&str) -> PathBuf,
    grants: &Path,
) -> anyhow::Result<BTreeMap<&'static str, SigningKey>> {
    let mut keys = BTreeMap::new();
    for name in callers() {
        let key = SigningKey::load_or_create(&key_file(name))
            .with_context(|| format!("the key of {name}"))?;
        keys.insert(name, key);
    }
    if !grants.exists() {
        Grants::write(grants, &clients(&keys)?)?;
    }
    Ok(keys)
}

fn clients(keys: &BTreeMap<&str, SigningKey>) -> anyhow::Result<BTreeMap<String, Client>> {
    let mut clients = BTreeMap::new();
    for (name, permissions) in grants() {
        let key = keys
            .get(name)
            .with_context(|| format!("no key was made for {name}"))?;
        let client = Client {
            keys: KeySet::new([key.public().clone()])?,
            permissions: permissions
                .iter()
                .map(Permission::new)
                .collect::<Result<_, _>>()?,
        };
        clients.insert(name.to_owned(), client);
    }
    Ok(clients)
}
