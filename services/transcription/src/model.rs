//! The speech model: loaded at the start, or as soon as it is there.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};

use crate::engine::{Engine, LoadError, Remote, RemoteConfig, Whisper, WhisperConfig};
use crate::error::Error;

/// How often a missing model is looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What listens.
#[derive(Clone)]
pub enum EngineConfig {
    /// A model in this process.
    Whisper(WhisperConfig),
    /// An OpenAI-compatible endpoint elsewhere.
    Remote(RemoteConfig),
    /// An engine of the embedding program's.
    Custom(Arc<dyn Engine>),
}

impl fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whisper(config) => config.fmt(f),
            Self::Remote(config) => config.fmt(f),
            Self::Custom(engine) => f.debug_tuple("Custom").field(engine.model()).finish(),
        }
    }
}

/// The engine, once it is there. Clones share it.
#[derive(Clone)]
pub(crate) struct Speech {
    inner: Arc<Inner>,
}

struct Inner {
    engine: watch::Sender<Result<Arc<dyn Engine>, String>>,
    /// What is still to be loaded.
    wanted: Option<WhisperConfig>,
    /// Somebody asked for the model: look now.
    look: Notify,
}

impl Speech {
    /// Sets the engine up. A model that is not installed is no error: it may come.
    ///
    /// # Errors
    /// A configuration that cannot work.
    pub(crate) async fn load(config: EngineConfig) -> Result<Self, LoadError> {
        let mut wanted = None;
        let engine: Result<Arc<dyn Engine>, String> = match config {
            EngineConfig::Custom(engine) => Ok(engine),
            EngineConfig::Remote(config) => Ok(Arc::new(Remote::new(config)?)),
            EngineConfig::Whisper(config) => match load(config.clone()).await {
                Ok(engine) => Ok(engine),
                Err(error @ LoadError::Config { .. }) => return Err(error),
                Err(error @ (LoadError::Unreadable { .. } | LoadError::NotAModel { .. })) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "there is no speech model, so nothing is accepted until there is one"
                    );
                    wanted = Some(config);
                    Err(error.to_string())
                }
            },
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine: watch::Sender::new(engine),
                wanted,
                look: Notify::new(),
            }),
        })
    }

    /// Whether there is an engine. When there is none, the model's file is looked at again soon.
    ///
    /// # Errors
    /// [`Error::ModelMissing`] says how to install one.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &*self.inner.engine.borrow() {
            Ok(_) => Ok(()),
            Err(found) => {
                self.inner.look.notify_one();
                Err(Error::ModelMissing {
                    detail: format!(
                        "{found}, or set TRANSCRIPTION_MODEL=/path/to/ggml-tiny.en.bin; a model that appears is taken up without a restart"
                    ),
                })
            }
        }
    }

    /// The engine, waiting for the model where it is missing. Called once, by whoever runs the jobs.
    ///
    /// # Cancel safety
    /// Dropping the future ends the waiting.
    pub(crate) async fn ready(&self) -> Arc<dyn Engine> {
        let Some(config) = &self.inner.wanted else {
            return self.set().await;
        };
        // Only a file that has changed is worth reading again.
        let mut seen = None;
        loop {
            let now = signature(&config.model).await;
            if now != seen && now.is_some() {
                match load(config.clone()).await {
                    Ok(engine) => {
                        tracing::info!(model = engine.model().id, "the speech model is loaded");
                        self.inner
                            .engine
                            .send_modify(|known| *known = Ok(Arc::clone(&engine)));
                        return engine;
                    }
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "a speech model appeared and cannot be loaded"
                        );
                        self.inner
                            .engine
                            .send_modify(|known| *known = Err(error.to_string()));
                    }
                }
            }
            seen = now;
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                () = self.inner.look.notified() => {}
            }
        }
    }

    /// Waits until the engine is set.
    async fn set(&self) -> Arc<dyn Engine> {
        let mut engine = self.inner.engine.subscribe();
        loop {
            if let Ok(engine) = &*engine.borrow_and_update() {
                return Arc::clone(engine);
            }
            if engine.changed().await.is_err() {
                // The sender is in this value, so it is never closed.
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn load(config: WhisperConfig) -> Result<Arc<dyn Engine>, LoadError> {
    let path = config.model.clone();
    tokio::task::spawn_blocking(move || Whisper::load(&config))
        .await
        .unwrap_or_else(|_| {
            Err(LoadError::NotAModel {
                path,
                detail: "loading it ended before its time".to_owned(),
            })
        })
        .map(|whisper| Arc::new(whisper) as Arc<dyn Engine>)
}

/// What tells one content of a file from another without reading it. `None`: there is no such file.
async fn signature(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = tokio::fs::metadata(path).await.ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
