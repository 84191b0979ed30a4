//! What is checked before a recording is accepted.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;
use url::Url;

use crate::audio::{self, Limits, Pcm};
use crate::error::Error;
use crate::source::{self, Sources};
use crate::store::Recording;

/// How many recordings are decoded at a time. Each takes memory for all of its samples.
const DECODERS: usize = 2;

/// A recording as it was sent.
pub(crate) enum Content {
    /// The bytes of the file.
    Audio(Bytes),
    /// Where the file is.
    Uri(String),
}

/// A recording that was found good.
pub(crate) struct Accepted {
    pub(crate) recording: Recording,
    /// `None`: it has not been read yet.
    pub(crate) duration: Option<Duration>,
}

/// Checks recordings. Clones share the limits and the decoders.
#[derive(Clone)]
pub(crate) struct Intake {
    sources: Sources,
    limits: Limits,
    decoders: Arc<Semaphore>,
}

impl Intake {
    pub(crate) fn new(sources: Sources, limits: Limits) -> Self {
        Self {
            sources,
            limits,
            decoders: Arc::new(Semaphore::new(DECODERS)),
        }
    }

    /// The limits that recordings are held to.
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where recordings are fetched from.
    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Checks a recording that came by `field`: bytes, and files, whether they can be heard; an https URI by its text,
    /// because fetching it is the job's.
    pub(crate) async fn accept(
        &self,
        content: Content,
        field: &'static str,
    ) -> Result<Accepted, Error> {
        let audio = match content {
            Content::Audio(audio) => audio,
            Content::Uri(uri) => {
                let refused = |why: source::Error| Error::Uri { field, why };
                let checked = self.sources.check(&uri).map_err(refused)?;
                if !is_file(&uri) {
                    return Ok(Accepted {
                        recording: Recording::Uri(uri),
                        duration: None,
                    });
                }
                self.sources.fetch(&checked).await.map_err(refused)?
            }
        };
        let pcm = self
            .decode(audio.clone())
            .await?
            .map_err(|why| Error::Audio { field, why })?;
        Ok(Accepted {
            recording: Recording::Audio(audio),
            duration: Some(pcm.duration()),
        })
    }

    /// Decodes a recording on a thread of its own, when it is its turn.
    pub(crate) async fn decode(&self, audio: Bytes) -> Result<Result<Pcm, audio::Error>, Error> {
        let turn = Arc::clone(&self.decoders).acquire_owned();
        let turn = turn.await.map_err(|_| Error::ShuttingDown)?;
        let limits = self.limits;
        tokio::task::spawn_blocking(move || {
            // Held to the end: a caller that goes away does not stop the thread.
            let _turn = turn;
            audio::decode(&audio, &limits)
        })
        .await
        .map_err(|_| Error::ShuttingDown)
    }
}

impl Content {
    /// Tells one content from another, whichever method it came by.
    pub(crate) async fn fingerprint(&self) -> Result<[u8; 32], Error> {
        match self {
            Self::Uri(uri) => Ok(Sha256::digest([b"uri:", uri.as_bytes()].concat()).into()),
            Self::Audio(audio) => {
                let audio = audio.clone();
                tokio::task::spawn_blocking(move || {
                    let mut hash = Sha256::new();
                    hash.update(b"audio:");
                    hash.update(&audio);
                    hash.finalize().into()
                })
                .await
                .map_err(|_| Error::ShuttingDown)
            }
        }
    }
}

fn is_file(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|uri| uri.scheme() == "file")
}
