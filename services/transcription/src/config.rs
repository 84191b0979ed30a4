//! What the service is configured with.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use scribemed_resilience::backoff::Backoff;
use scribemed_service::{Env, env};

use crate::audio::Limits;
use crate::engine::{RemoteConfig, WhisperConfig};
use crate::model::EngineConfig;
use crate::source::{self, Sources};

/// How long a speech endpoint may take for one window of a recording.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(300);
/// Up to this many attempts unless configured otherwise.
const MAX_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// Between attempts: 1 s, at most 5 min, doubling, ±20 %.
const BACKOFF: Backoff =
    match Backoff::new(Duration::from_secs(1), Duration::from_mins(5), 2.0, 0.2) {
        Ok(backoff) => backoff,
        Err(_) => Backoff::DEFAULT,
    };

/// What the service is configured with.
///
/// | variable | what it is | default |
/// |---|---|---|
/// | `SCRIBEMED_DATA` | the folder for the database; `/folder/*`: one in there for each replica | required |
/// | `TRANSCRIPTION_MODEL` | the speech model, a file in ggml format | required, without an endpoint |
/// | `TRANSCRIPTION_THREADS` | threads of the model | the cores, at most 4 |
/// | `TRANSCRIPTION_ENDPOINT` | an OpenAI-compatible endpoint in place of a model | none |
/// | `TRANSCRIPTION_ENDPOINT_MODEL` | the model to ask it for | required, with an endpoint |
/// | `TRANSCRIPTION_ENDPOINT_API_KEY` | the key that it wants | none |
/// | `TRANSCRIPTION_CONCURRENCY` | transcriptions at a time | 1 |
/// | `TRANSCRIPTION_AUDIO_DIR` | the folder that `file:` URIs reach | none: they are refused |
/// | `TRANSCRIPTION_AUDIO_HOSTS` | the hosts that `https:` URIs reach, by comma | none: they are refused |
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder for the database `transcription.db`. One process works on it at a time.
    pub data: PathBuf,
    /// What listens.
    pub engine: EngineConfig,
    /// Transcriptions at a time; 1 by default.
    pub concurrency: NonZeroUsize,
    /// What URIs reach; nothing by default.
    pub sources: source::Config,
    /// How much is accepted.
    pub limits: Limits,
    /// How often a transcription is tried; 5 by default.
    pub max_attempts: NonZeroU32,
    /// The wait between attempts; 1 s, at most 5 min, doubling, ±20 % by default.
    pub backoff: Backoff,
}

impl Config {
    /// The defaults, with this folder and engine.
    pub fn new(data: impl Into<PathBuf>, engine: EngineConfig) -> Self {
        Self {
            data: data.into(),
            engine,
            concurrency: NonZeroUsize::MIN,
            sources: source::Config::default(),
            limits: Limits::default(),
            max_attempts: MAX_ATTEMPTS,
            backoff: BACKOFF,
        }
    }

    /// As the environment says.
    ///
    /// # Errors
    /// Names the variable, what is wrong with it, and a good value.
    pub fn from_env(env: &Env) -> Result<Self, env::Error> {
        let data = env.require("SCRIBEMED_DATA", "/var/lib/scribemed/transcription")?;
        let mut config = Self::new(data, engine(env)?);
        if let Some(concurrency) = env.parse("TRANSCRIPTION_CONCURRENCY", "1")? {
            config.concurrency = concurrency;
        }
        config.sources = sources(env)?;
        Ok(config)
    }
}

fn engine(env: &Env) -> Result<EngineConfig, env::Error> {
    const MODEL: &str = "/var/lib/scribemed/models/ggml-tiny.en.bin";
    if let Some(base) = env.parse("TRANSCRIPTION_ENDPOINT", "https://speech.example.org")? {
        return Ok(EngineConfig::Remote(RemoteConfig {
            base,
            model: env
                .require("TRANSCRIPTION_ENDPOINT_MODEL", "whisper-1")?
                .to_owned(),
            key: env.get("TRANSCRIPTION_ENDPOINT_API_KEY").map(str::to_owned),
            language: None,
            timeout: ENDPOINT_TIMEOUT,
        }));
    }
    Ok(EngineConfig::Whisper(WhisperConfig {
        model: env.require("TRANSCRIPTION_MODEL", MODEL)?.into(),
        threads: env.parse("TRANSCRIPTION_THREADS", "2")?,
        language: None,
    }))
}

fn sources(env: &Env) -> Result<source::Config, env::Error> {
    const FOLDER: (&str, &str) = ("TRANSCRIPTION_AUDIO_DIR", "/var/lib/scribemed/audio");
    const HOSTS: (&str, &str) = (
        "TRANSCRIPTION_AUDIO_HOSTS",
        "audio.example.org,media.example.org:8443",
    );
    let folder = env.get(FOLDER.0).map(PathBuf::from);
    if folder.as_ref().is_some_and(|folder| !folder.is_absolute()) {
        return Err(env.malformed(FOLDER.0, "it must be an absolute path", FOLDER.1));
    }
    let hosts = env
        .get(HOSTS.0)
        .unwrap_or_default()
        .split(',')
        .map(str::trim);
    let config = source::Config {
        folder,
        hosts: hosts
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect(),
        ..source::Config::default()
    };
    Sources::new(config.clone()).map_err(|error| env.malformed(HOSTS.0, error, HOSTS.1))?;
    Ok(config)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Env {
        variables
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    const LEAST: [(&str, &str); 2] = [
        ("SCRIBEMED_DATA", "/data"),
        ("TRANSCRIPTION_MODEL", "/models/ggml-tiny.en.bin"),
    ];

    #[test]
    fn two_variables_are_enough() {
        let config = Config::from_env(&env(&LEAST)).unwrap();
        assert_eq!(config.concurrency.get(), 1);
        assert!(config.sources.folder.is_none() && config.sources.hosts.is_empty());
        let EngineConfig::Whisper(engine) = config.engine else {
            panic!("a model in this process is the default");
        };
        assert_eq!(engine.model, PathBuf::from(LEAST[1].1));
    }

    #[test]
    fn an_endpoint_takes_the_place_of_a_model() {
        let config = Config::from_env(&env(&[
            ("SCRIBEMED_DATA", "/data"),
            ("TRANSCRIPTION_ENDPOINT", "https://speech.example.org"),
            ("TRANSCRIPTION_ENDPOINT_MODEL", "whisper-1"),
            ("TRANSCRIPTION_ENDPOINT_API_KEY", "s3cret"),
            (
                "TRANSCRIPTION_AUDIO_HOSTS",
                "a.example.org, b.example.org:8443,",
            ),
        ]))
        .unwrap();
        assert_eq!(
            config.sources.hosts,
            ["a.example.org", "b.example.org:8443"]
        );
        let shown = format!("{config:?}");
        assert!(
            shown.contains("whisper-1") && !shown.contains("s3cret"),
            "{shown}"
        );
    }

    #[test]
    fn an_error_names_the_variable_and_shows_a_good_value() {
        let check = |more: &[(&str, &str)], name: &str| {
            let error = Config::from_env(&env(more)).unwrap_err().to_string();
            let good = format!("a good value is {name}=");
            assert!(error.starts_with(name) && error.contains(&good), "{error}");
        };
        check(&[], "SCRIBEMED_DATA");
        check(&LEAST[..1], "TRANSCRIPTION_MODEL");
        let with = |name, value| [LEAST[0], LEAST[1], (name, value)];
        for (name, value) in [
            ("TRANSCRIPTION_THREADS", "0"),
            ("TRANSCRIPTION_CONCURRENCY", "none"),
            ("TRANSCRIPTION_ENDPOINT", "speech"),
            ("TRANSCRIPTION_AUDIO_DIR", "audio"),
            ("TRANSCRIPTION_AUDIO_HOSTS", "https://audio.example.org/"),
        ] {
            check(&with(name, value), name);
        }
        check(
            &with("TRANSCRIPTION_ENDPOINT", "https://speech.example.org"),
            "TRANSCRIPTION_ENDPOINT_MODEL",
        );
    }
}
