//! Transcription: speech to text.

use std::path::PathBuf;

use scribemed_proto::transcription::{v1, v2};
use scribemed_service::Env;
use scribemed_transcription::{Config, EngineConfig};

use super::{Opened, Opening, Service};

pub(crate) const SERVICE: Service = Service {
    name: "transcription",
    port: 50052,
    calls: Some(&[]),
    operator: &["read:transcriptions", "write:transcriptions"],
    contracts: &[
        &v1::TRANSCRIPTION_SERVICE_POLICY,
        &v2::TRANSCRIPTION_SERVICE_POLICY,
    ],
    open: |opening| Box::pin(open(opening)),
};

async fn open(mut opening: Opening) -> anyhow::Result<Opened> {
    let config = config(&opening)?;
    let lacks = lacks(&config);
    let platform = opening.platform().await?;
    let run = scribemed_transcription::run(config, platform.clone(), opening.listener);
    Ok(Opened {
        platform,
        run: Box::pin(async { Ok(run.await?) }),
        lacks,
    })
}

/// The model file, when it is read from there and missing.
fn lacks(config: &Config) -> Option<String> {
    match &config.engine {
        EngineConfig::Whisper(whisper) if !whisper.model.exists() => Some(format!(
            "There is no speech model at {}: nothing can be transcribed until `cargo xtask model` has put one there.",
            whisper.model.display()
        )),
        EngineConfig::Whisper(_) | EngineConfig::Remote(_) | EngineConfig::Custom(_) => None,
    }
}

/// The configuration of the environment, with what `up` knows filled in.
fn config(opening: &Opening) -> anyhow::Result<Config> {
    let data = &opening.data;
    let named = |path: &Option<PathBuf>, default: PathBuf| {
        std::path::absolute(path.clone().unwrap_or(default))
    };
    let model = named(&opening.model, data.model_file())?;
    let audio = named(&opening.audio, data.audio_folder())?;
    let text = |path: PathBuf| {
        path.into_os_string().into_string().map_err(|path| {
            anyhow::anyhow!("{} is no Unicode; choose another path", path.display())
        })
    };
    let known = [
        ("SCRIBEMED_DATA".to_owned(), text(data.of(SERVICE.name))?),
        ("TRANSCRIPTION_MODEL".to_owned(), text(model)?),
        ("TRANSCRIPTION_AUDIO_DIR".to_owned(), text(audio)?),
    ];
    let process = Env::from_process();
    let env = process
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(known)
        .collect();
    Ok(Config::from_env(&env)?)
}
