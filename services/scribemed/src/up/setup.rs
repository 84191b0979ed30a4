//! What a platform needs before its first start; kept from then on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use scribemed_auth::{KeySet, Permission, SigningKey};
use scribemed_auth_service::{Client, Grants};
use scribemed_transcription::{Config as TranscriptionConfig, EngineConfig};

use crate::data::{Data, OPERATOR};

/// The private keys of the services that call others.
pub(crate) struct Keys {
    pub(crate) transcription: SigningKey,
    pub(crate) documentation: SigningKey,
}

/// What each caller may do, in a platform for one person at one machine.
const GRANTS: [(&str, &[&str]); 3] = [
    ("transcription", &[]),
    ("documentation", &["read:transcriptions"]),
    (
        OPERATOR,
        &[
            "read:transcriptions",
            "write:transcriptions",
            "read:notes",
            "write:notes",
            "sign:notes",
            "rotate:keys",
        ],
    ),
];

/// Makes the keys that are missing, and the grants if there are none.
pub(crate) async fn keys(data: &Data) -> anyhow::Result<Keys> {
    let data = data.clone();
    tokio::task::spawn_blocking(move || {
        let mut keys = make(|name| data.key_file(name), &data.grants_file())?;
        let mut take = |name: &str| {
            keys.remove(name)
                .with_context(|| format!("no key was made for {name}"))
        };
        Ok(Keys {
            transcription: take("transcription")?,
            documentation: take("documentation")?,
        })
    })
    .await?
}

/// The names of those that call services, each with a key of its own.
pub(crate) fn callers() -> impl Iterator<Item = &'static str> {
    GRANTS.iter().map(|(name, _)| *name)
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
    for (name, permissions) in GRANTS {
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

/// The model file that this configuration reads, if it reads one.
pub(crate) fn model(config: &TranscriptionConfig) -> Option<PathBuf> {
    match &config.engine {
        EngineConfig::Whisper(whisper) => Some(whisper.model.clone()),
        EngineConfig::Remote(_) | EngineConfig::Custom(_) => None,
    }
}

/// The configuration of transcription: that of the environment, with what `up` knows filled in.
pub(crate) fn transcription(
    data: &Data,
    model: Option<PathBuf>,
    audio: Option<PathBuf>,
) -> anyhow::Result<TranscriptionConfig> {
    let model = std::path::absolute(model.unwrap_or_else(|| data.model_file()))?;
    let audio = std::path::absolute(audio.unwrap_or_else(|| data.audio_folder()))?;
    let text = |path: PathBuf| {
        path.into_os_string().into_string().map_err(|path| {
            anyhow::anyhow!("{} is no Unicode; choose another path", path.display())
        })
    };
    let known = [
        ("SCRIBEMED_DATA".to_owned(), text(data.of("transcription"))?),
        ("TRANSCRIPTION_MODEL".to_owned(), text(model)?),
        ("TRANSCRIPTION_AUDIO_DIR".to_owned(), text(audio)?),
    ];
    let process = scribemed_service::Env::from_process();
    let env = process
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(known)
        .collect();
    Ok(TranscriptionConfig::from_env(&env)?)
}
