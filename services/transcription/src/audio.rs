//! Any recording becomes 16 kHz mono.
//!
//! [`decode`] takes the bytes of a recording as somebody sent them and returns a [`Pcm`], the one form in which
//! the engines hear speech. The bytes are not trusted: size and duration are bounded while decoding, a header
//! that promises other bytes than there are is refused, and a panic of a decoder is an [`Error::Corrupt`].

mod decoder;
mod error;
mod resample;
mod wav;
mod windows;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "signals are made of small numbers, and a test fails by panicking"
)]
mod fixtures;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

pub use self::error::Error;
pub use self::windows::MAX_WINDOW;

/// The sample rate of every [`Pcm`], in Hz.
pub const SAMPLE_RATE: u32 = 16_000;

/// What is read, for the messages of errors and for documentation.
pub const SUPPORTED: &str = "WAV (PCM, float, A-law, mu-law, ADPCM), FLAC, MP3, Ogg Vorbis, AAC, M4A, AIFF, Matroska or WebM with one of these codecs";

/// How much is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest recording as sent, in bytes; 25 MiB by default.
    pub max_encoded_bytes: u64,
    /// The longest recording once decoded; 2 hours by default.
    pub max_duration: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_encoded_bytes: 25 * 1024 * 1024,
            max_duration: Duration::from_secs(2 * 60 * 60),
        }
    }
}

/// A decoded recording: 16 kHz, mono, 16 bits a sample, never empty and never all silence.
#[derive(Clone, PartialEq, Eq)]
pub struct Pcm {
    samples: Vec<i16>,
}

impl Pcm {
    fn new(samples: Vec<i16>) -> Self {
        Self { samples }
    }

    /// The samples, at [`SAMPLE_RATE`].
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// How long the recording is.
    pub fn duration(&self) -> Duration {
        duration_of(self.samples.len())
    }

    /// Cuts the recording into consecutive windows of at most `max` (at least one second is used), each cut at
    /// the quietest place near where it has to be, so that no word is cut in two.
    ///
    /// The windows cover the recording exactly: nothing is left out, nothing is heard twice.
    pub fn windows(self: &Arc<Self>, max: Duration) -> Vec<Window> {
        windows::split(&self.samples, max)
            .into_iter()
            .map(|range| Window {
                pcm: Arc::clone(self),
                range,
            })
            .collect()
    }
}

impl std::fmt::Debug for Pcm {
    // The samples are a patient's voice: they do not belong into a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pcm")
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}

/// A stretch of a recording, sharing its samples.
#[derive(Debug, Clone)]
pub struct Window {
    pcm: Arc<Pcm>,
    range: Range<usize>,
}

impl Window {
    /// The samples, at [`SAMPLE_RATE`].
    pub fn samples(&self) -> &[i16] {
        &self.pcm.samples[self.range.clone()]
    }

    /// Where in the recording this window begins.
    pub fn start(&self) -> Duration {
        duration_of(self.range.start)
    }

    /// How long this window is.
    pub fn duration(&self) -> Duration {
        duration_of(self.range.len())
    }

    /// The window as a WAV file of 16 bits a sample, for an engine elsewhere.
    pub fn to_wav(&self) -> Vec<u8> {
        wav::write(self.samples())
    }
}

/// Decodes a recording.
///
/// Runs on the calling thread and takes about a second per hour of audio: call it on a blocking thread. Memory is
/// bounded by `limits`: two bytes a sample of the result, and nothing for silence.
///
/// # Errors
/// See [`Error`]: each variant says what is wrong and what would be right.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Pcm, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    let found = bytes.len() as u64;
    if found > limits.max_encoded_bytes {
        return Err(Error::TooLarge {
            found,
            limit: limits.max_encoded_bytes,
        });
    }
    // The decoders are other people's code on untrusted bytes. All they can touch is dropped on unwinding.
    catch_unwind(AssertUnwindSafe(|| decoder::run(bytes, limits))).unwrap_or(Err(Error::Corrupt {
        at: Duration::ZERO,
        detail: "the decoder gave up on it",
    }))
}

/// The duration of that many samples at [`SAMPLE_RATE`].
fn duration_of(samples: usize) -> Duration {
    frames_at(samples as u64, SAMPLE_RATE)
}

/// The duration of that many frames at a rate in Hz, which must not be 0.
fn frames_at(frames: u64, rate: u32) -> Duration {
    let rate = u64::from(rate.max(1));
    let nanos = (frames % rate) * 1_000_000_000 / rate;
    Duration::from_secs(frames / rate) + Duration::from_nanos(nanos)
}
