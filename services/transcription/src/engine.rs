//! What turns speech into text.
//!
//! An [`Engine`] hears one [`Window`] of a recording at a time; [`transcribe`] leads it through a whole one. Two
//! engines exist: [`Whisper`] runs a model in this process, [`Remote`] asks an OpenAI-compatible endpoint.

mod error;
mod remote;
mod whisper;

#[cfg(test)]
mod tests;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::error::{Error, LoadError};
pub use self::remote::{Remote, RemoteConfig};
pub use self::whisper::{Whisper, WhisperConfig};
use crate::audio::{MAX_WINDOW, Pcm, Window};

/// The model behind an engine, so that each transcript can say what wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name, such as `ggml-tiny.en`.
    pub id: String,
    /// The SHA-256 of its file in hex; `None` where the model runs elsewhere and nobody can know.
    pub sha256: Option<String>,
}

/// A stretch of speech.
#[derive(Clone, PartialEq)]
pub struct Segment {
    /// Its place in the transcript, from 0.
    pub index: usize,
    /// Where it begins in the recording.
    pub start: Duration,
    /// Where it ends; never before `start`.
    pub end: Duration,
    /// What was said; trimmed, never empty.
    pub text: String,
    /// The mean probability of its words (the exponential of the mean log-probability of its tokens), 0 to 1;
    /// `None` where the engine does not tell.
    pub confidence: Option<f32>,
}

impl fmt::Debug for Segment {
    // The text is what a patient said: it does not belong into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("index", &self.index)
            .field("start", &self.start)
            .field("end", &self.end)
            .field("confidence", &self.confidence)
            .finish_non_exhaustive()
    }
}

/// How far a transcription is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// How much of the recording was heard. Never goes back.
    pub done: Duration,
    /// How long the recording is.
    pub total: Duration,
    /// The segments so far, final and in order.
    pub segments: Vec<Segment>,
}

/// Reports how much of one window was heard. Cheap, and never blocks.
#[derive(Debug, Clone)]
pub struct Meter {
    progress: watch::Sender<Progress>,
    start: Duration,
    length: Duration,
}

impl Meter {
    /// Reports a share of the window, 0 to 1; anything else is taken as the nearest of these.
    pub fn heard(&self, share: f32) {
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let done = self.start + self.length.mul_f32(share).min(self.length);
        self.progress.send_if_modified(|progress| {
            let ahead = done > progress.done;
            if ahead {
                progress.done = done;
            }
            ahead
        });
    }
}

/// What [`Engine::transcribe`] returns.
pub type Transcribing<'a> = Pin<Box<dyn Future<Output = Result<Vec<Segment>, Error>> + Send + 'a>>;

/// Turns speech into text.
pub trait Engine: Send + Sync {
    /// The model that is used.
    fn model(&self) -> &Model;

    /// Transcribes one window. Times and indices are counted from the beginning of the window.
    ///
    /// What is not speech gives no segment: an engine never makes up text, and a window of silence is empty.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `cancel` is, within a second or two; otherwise [`Error::is_retryable`] tells
    /// whether another attempt can help.
    ///
    /// # Cancel safety
    /// Dropping the future stops the work as `cancel` does. Nothing is kept.
    fn transcribe(
        &self,
        window: Window,
        meter: Meter,
        cancel: CancellationToken,
    ) -> Transcribing<'_>;
}

/// Transcribes a whole recording, window by window, and reports to `progress` as it goes.
///
/// # Errors
/// Those of the engine. What was heard before stays in `progress`.
///
/// # Cancel safety
/// Dropping the future stops the work as `cancel` does.
pub async fn transcribe(
    engine: &dyn Engine,
    pcm: &Arc<Pcm>,
    progress: &watch::Sender<Progress>,
    cancel: &CancellationToken,
) -> Result<Vec<Segment>, Error> {
    progress.send_replace(Progress {
        total: pcm.duration(),
        ..Progress::default()
    });
    for window in pcm.windows(MAX_WINDOW) {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let (start, length) = (window.start(), window.duration());
        let meter = Meter {
            progress: progress.clone(),
            start,
            length,
        };
        let found = engine.transcribe(window, meter, cancel.clone()).await?;
        progress.send_modify(|progress| {
            progress.done = start + length;
            for segment in found {
                progress.segments.push(Segment {
                    index: progress.segments.len(),
                    start: start + segment.start,
                    end: start + segment.end,
                    ..segment
                });
            }
        });
    }
    Ok(progress.borrow().segments.clone())
}

/// What is left of a text once the marks for what is no speech are taken out, such as `[BLANK_AUDIO]`, `(coughs)`
/// as a whole segment, `*sighs*` or music notes; `None` when that is nothing.
fn spoken(text: &str) -> Option<String> {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some((before, tail)) = rest.split_once('[') {
        kept.push_str(before);
        // A bracket that never closes holds the rest of a mark.
        rest = tail.split_once(']').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let all_mark = [('(', ')'), ('*', '*'), ('♪', '♪')]
        .iter()
        .any(|&(open, close)| {
            kept.strip_prefix(open)
                .and_then(|inner| inner.strip_suffix(close))
                .is_some_and(|inner| !inner.contains([open, close]))
        });
    let words = kept.chars().any(char::is_alphanumeric);
    (words && !all_mark).then_some(kept)
}
