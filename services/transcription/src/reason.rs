//! Why something was refused or failed, for programs.

use crate::{audio, source};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)+) => {
        /// The reasons of this service: the names of the contract's `ErrorReason` without their prefix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Reason {
            $($(#[$doc])* $variant,)+
        }

        impl Reason {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name, as it is stored and sent.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// The recording holds no bytes.
    AudioEmpty => "AUDIO_EMPTY",
    /// The recording holds too many bytes.
    AudioTooLarge => "AUDIO_TOO_LARGE",
    /// The recording is too long.
    AudioTooLong => "AUDIO_TOO_LONG",
    /// The bytes are no audio, or of a kind that is not read.
    AudioUnsupported => "AUDIO_UNSUPPORTED",
    /// The audio is damaged, cut off, or its header lies.
    AudioCorrupt => "AUDIO_CORRUPT",
    /// Nothing can be heard.
    AudioSilent => "AUDIO_SILENT",
    /// The URI is not allowed.
    AudioUriRefused => "AUDIO_URI_REFUSED",
    /// Nothing could be read at the URI.
    AudioUriUnreadable => "AUDIO_URI_UNREADABLE",
    /// No speech model is installed.
    ModelMissing => "MODEL_MISSING",
    /// The speech model failed.
    ModelFailed => "MODEL_FAILED",
    /// There is no such transcription.
    TranscriptionNotFound => "TRANSCRIPTION_NOT_FOUND",
    /// The transcription is not finished.
    TranscriptionNotFinished => "TRANSCRIPTION_NOT_FINISHED",
    /// The transcription is finished.
    TranscriptionFinished => "TRANSCRIPTION_FINISHED",
    /// The request id was used with other content.
    RequestIdReused => "REQUEST_ID_REUSED",
    /// The page token belongs to another list.
    PageTokenInvalid => "PAGE_TOKEN_INVALID",
    /// The store failed.
    StoreFailed => "STORE_FAILED",
    /// Each attempt ended without an answer.
    AttemptsExhausted => "ATTEMPTS_EXHAUSTED",
    /// The service is shutting down.
    ShuttingDown => "SHUTTING_DOWN",
}

impl Reason {
    /// The reason of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == name)
    }
}

impl From<&audio::Error> for Reason {
    fn from(error: &audio::Error) -> Self {
        match error {
            audio::Error::Empty => Self::AudioEmpty,
            audio::Error::TooLarge { .. } => Self::AudioTooLarge,
            audio::Error::TooLong { .. } => Self::AudioTooLong,
            audio::Error::Unsupported { .. } => Self::AudioUnsupported,
            audio::Error::LyingHeader { .. }
            | audio::Error::Truncated { .. }
            | audio::Error::Corrupt { .. } => Self::AudioCorrupt,
            audio::Error::Silent { .. } => Self::AudioSilent,
        }
    }
}

impl From<&source::Error> for Reason {
    fn from(error: &source::Error) -> Self {
        match error {
            source::Error::Malformed { .. } | source::Error::Refused { .. } => {
                Self::AudioUriRefused
            }
            source::Error::TooLarge { .. } => Self::AudioTooLarge,
            source::Error::Missing { .. } | source::Error::Unavailable { .. } => {
                Self::AudioUriUnreadable
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scribemed_proto::transcription::v2::ErrorReason;

    use super::*;

    #[test]
    fn the_names_are_those_of_the_contract() {
        let ours: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        let contract: BTreeSet<_> = (1..)
            .map_while(|number| ErrorReason::try_from(number).ok())
            .filter_map(|reason| reason.as_str_name().strip_prefix("ERROR_REASON_"))
            .collect();
        assert_eq!(ours, contract);
        assert!(
            Reason::ALL
                .iter()
                .all(|reason| Reason::parse(reason.as_str()) == Some(*reason))
        );
    }
}
