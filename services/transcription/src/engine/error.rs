//! Why there is no transcript.

use std::io;
use std::path::PathBuf;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a recording could not be transcribed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was cancelled.
    #[error("the transcription was cancelled")]
    Cancelled,

    /// The engine could not do it now; later it may.
    #[error("the speech engine is not available ({detail})")]
    Unavailable {
        /// What happened. Never holds what was said.
        detail: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Cause>,
    },

    /// The engine will not do it, however often it is asked.
    #[error("the speech engine refused ({detail})")]
    Refused {
        /// What happened. Never holds what was said.
        detail: String,
        /// The cause, where there is one.
        #[source]
        source: Option<Cause>,
    },
}

impl Error {
    /// Whether another attempt can help.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Cancelled | Self::Refused { .. } => false,
        }
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::Unavailable {
            detail: detail.into(),
            source: None,
        }
    }

    pub(super) fn refused(detail: impl Into<String>) -> Self {
        Self::Refused {
            detail: detail.into(),
            source: None,
        }
    }
}

/// Why an engine could not be set up. The service then reports that it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The model's file cannot be read.
    #[error("the speech model {} cannot be read: install one with `cargo xtask model` or name another", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },

    /// The file is no model that whisper.cpp reads.
    #[error("{} is no speech model in whisper.cpp's ggml format ({detail}): install one with `cargo xtask model`", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },

    /// The configuration cannot work.
    #[error("{setting}: {detail}")]
    Config {
        /// Which setting.
        setting: &'static str,
        /// What is wrong, and what would be right.
        detail: String,
    },
}
