//! Why a recording cannot be used.

use std::time::Duration;

use super::SUPPORTED;

/// Why a recording cannot be used, and what would be right.
///
/// None of them gets better by trying again with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There are no bytes, or a header and no audio behind it.
    #[error("the recording is empty: send at least one second of speech")]
    Empty,

    /// More bytes than are accepted.
    #[error(
        "the recording is {found} bytes where at most {limit} are accepted: send a shorter or a compressed one (FLAC or MP3)"
    )]
    TooLarge {
        /// How many bytes were sent.
        found: u64,
        /// How many are accepted.
        limit: u64,
    },

    /// More audio than is accepted. Decoding stopped there, so the true duration is not known.
    #[error("the recording is longer than {} minutes: split it", limit.as_secs() / 60)]
    TooLong {
        /// How long a recording may be.
        limit: Duration,
    },

    /// Not audio, or of a kind that is not read.
    #[error("not a recording that can be read ({detail}): send {SUPPORTED}")]
    Unsupported {
        /// What was found.
        detail: String,
    },

    /// The header promises other audio than follows.
    #[error(
        "the header does not fit the audio behind it: {field} promises {promised} and there are {found}: record or export it again"
    )]
    LyingHeader {
        /// Which promise is broken, with its unit.
        field: &'static str,
        /// What the header says.
        promised: u64,
        /// What there is.
        found: u64,
    },

    /// The audio breaks off before its end.
    #[error(
        "the recording breaks off after {:.1} s{}: send the whole file", found.as_secs_f64(), of_all(*promised)
    )]
    Truncated {
        /// How long it should be, where it says so.
        promised: Option<Duration>,
        /// How much there is.
        found: Duration,
    },

    /// Nothing in it is louder than -60 dB of full scale.
    #[error(
        "the recording of {:.1} s holds no sound (nothing above -60 dBFS): check the microphone", duration.as_secs_f64()
    )]
    Silent {
        /// How long the silence is.
        duration: Duration,
    },

    /// The audio is damaged.
    #[error("the recording is damaged at {:.1} s ({detail}): record or export it again", at.as_secs_f64())]
    Corrupt {
        /// Where, from the start.
        at: Duration,
        /// What the decoder says.
        detail: &'static str,
    },
}

impl Error {
    /// The kind of failure, for tables of tests. What callers are told is the contract's, see `crate::reason`.
    #[cfg(test)]
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Empty => "AUDIO_EMPTY",
            Self::TooLarge { .. } => "AUDIO_TOO_LARGE",
            Self::TooLong { .. } => "AUDIO_TOO_LONG",
            Self::Unsupported { .. } => "AUDIO_UNSUPPORTED",
            Self::LyingHeader { .. } => "AUDIO_HEADER_MISMATCH",
            Self::Truncated { .. } => "AUDIO_TRUNCATED",
            Self::Silent { .. } => "AUDIO_SILENT",
            Self::Corrupt { .. } => "AUDIO_CORRUPT",
        }
    }
}

fn of_all(promised: Option<Duration>) -> String {
    promised.map_or_else(String::new, |all| format!(" of {:.1} s", all.as_secs_f64()))
}
