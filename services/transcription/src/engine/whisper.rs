//! whisper.cpp in this process.

mod control;
mod file;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use whisper_rs::{
    WhisperContext, WhisperContextParameters, WhisperError, WhisperSegment, WhisperState,
};

use self::control::Slots;
use super::{Engine, Error, LoadError, Meter, Model, Segment, Transcribing, spoken};
use crate::audio::{SAMPLE_RATE, Window};

/// The most threads that are used unless the configuration says otherwise: more hardly help a small model.
const MAX_THREADS: usize = 4;
/// Above this probability of silence a doubtful segment is taken for made up.
const NO_SPEECH: f32 = 0.6;
/// Below this confidence a segment is doubtful.
const DOUBTFUL: f32 = 0.5;
/// Speech is louder than this: -60 dB of full scale.
const AUDIBLE: u16 = 33;
/// Samples a millisecond.
const PER_MILLI: usize = SAMPLE_RATE as usize / 1000;
/// whisper.cpp hears nothing in less than 100 ms and is happy with a second.
const SHORTEST: usize = SAMPLE_RATE as usize;

/// Which model, and how to run it.
#[derive(Debug, Clone)]
pub struct WhisperConfig {
    /// A model in whisper.cpp's ggml format.
    pub model: PathBuf,
    /// How many threads to use; the number of cores, at most 4, by default.
    pub threads: Option<NonZeroUsize>,
    /// The language that is spoken, as a code such as `en`. By default English where the model knows nothing
    /// else, otherwise it is found out from each window.
    pub language: Option<String>,
}

/// A whisper model in memory. Loaded once; each transcription has a state of its own.
pub struct Whisper {
    model: Model,
    inner: Arc<Inner>,
}

struct Inner {
    context: WhisperContext,
    slots: Slots,
}

impl fmt::Debug for Whisper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whisper")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Whisper {
    /// Loads the model. Reads the whole file twice (once for its hash): call it on a blocking thread.
    ///
    /// # Errors
    /// [`LoadError`] when there is no such file, when it is no model, or when it does not know the language.
    pub fn load(config: &WhisperConfig) -> Result<Self, LoadError> {
        // Before anything else: by default whisper.cpp writes to stderr.
        whisper_rs::install_logging_hooks();
        let path = config.model.as_path();
        let sha256 = file::verify(path)?;
        let context = WhisperContext::new_with_params(path, WhisperContextParameters::default())
            .map_err(|_| LoadError::NotAModel {
                path: path.to_owned(),
                detail: "whisper.cpp cannot load it; it may be cut off".to_owned(),
            })?;
        let language = language(config.language.as_deref(), context.is_multilingual())?;
        let threads = config
            .threads
            .map_or_else(default_threads, NonZeroUsize::get);
        Ok(Self {
            model: Model {
                id: id(path),
                sha256: Some(sha256),
            },
            inner: Arc::new(Inner {
                context,
                slots: Slots::new(threads, language),
            }),
        })
    }
}

impl Engine for Whisper {
    fn model(&self) -> &Model {
        &self.model
    }

    fn transcribe(
        &self,
        window: Window,
        meter: Meter,
        cancel: CancellationToken,
    ) -> Transcribing<'_> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            // Dropping this future cancels the child, which stops the thread.
            let stop = cancel.child_token();
            let _guard = stop.clone().drop_guard();
            tokio::task::spawn_blocking(move || inner.run(&window, meter, &stop))
                .await
                .map_err(|fault| Error::Unavailable {
                    detail: "the speech engine's thread ended".to_owned(),
                    source: Some(fault.into()),
                })?
        })
    }
}

impl Inner {
    fn run(
        &self,
        window: &Window,
        meter: Meter,
        stop: &CancellationToken,
    ) -> Result<Vec<Segment>, Error> {
        let samples = window.samples();
        let mut floats: Vec<f32> = samples.iter().map(|&s| f32::from(s) / 32_768.0).collect();
        floats.resize(floats.len().max(SHORTEST), 0.0);
        let mut state = self.context.create_state().map_err(fault)?;
        let slot = self.slots.take(meter, stop.clone());
        let result = state.full(slot.parameters(), &floats);
        drop(slot);
        if stop.is_cancelled() {
            return Err(Error::Cancelled);
        }
        result.map_err(fault)?;
        let text_tokens = self.context.token_eot();
        Ok(segments(&state, text_tokens, samples, window.duration()))
    }
}

/// The segments that are speech.
fn segments(
    state: &WhisperState,
    text_tokens: i32,
    samples: &[i16],
    length: Duration,
) -> Vec<Segment> {
    let mut kept: Vec<Segment> = Vec::new();
    for segment in state.as_iter() {
        let start = centiseconds(segment.start_timestamp()).min(length);
        // A last segment ends with its block of 30 seconds, which may lie behind the recording.
        let end = centiseconds(segment.end_timestamp()).min(length).max(start);
        let Some(text) = segment.to_str_lossy().ok().and_then(|text| spoken(&text)) else {
            continue;
        };
        let Some((start, end)) = audible(samples, start, end) else {
            continue;
        };
        let confidence = confidence(&segment, text_tokens);
        let doubtful = confidence.is_none_or(|confidence| confidence < DOUBTFUL);
        if doubtful && segment.no_speech_probability() > NO_SPEECH {
            continue;
        }
        kept.push(Segment {
            index: kept.len(),
            start,
            end,
            text,
            confidence,
        });
    }
    kept
}

/// The exponential of the mean log-probability of the tokens that are text.
fn confidence(segment: &WhisperSegment<'_>, text_tokens: i32) -> Option<f32> {
    let logs: Vec<f32> = (0..segment.n_tokens())
        .filter_map(|index| segment.get_token(index))
        .filter(|token| token.token_id() < text_tokens)
        .map(|token| token.token_data().plog)
        .collect();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a segment has at most a few hundred tokens"
    )]
    let mean = logs.iter().sum::<f32>() / logs.len() as f32;
    mean.is_finite().then(|| mean.exp().clamp(0.0, 1.0))
}

/// Where the sound between two instants begins and ends; `None` when there is none. A model that is given silence
/// writes what it read most often, and one that hears a late speaker lets the segment begin with the silence.
fn audible(samples: &[i16], start: Duration, end: Duration) -> Option<(Duration, Duration)> {
    let index = |at: Duration| {
        usize::try_from(at.as_millis())
            .unwrap_or(usize::MAX)
            .saturating_mul(PER_MILLI)
            .min(samples.len())
    };
    let instant = |index: usize| Duration::from_millis((index / PER_MILLI) as u64);
    let offset = index(start);
    let stretch = &samples[offset..index(end)];
    let loud = |sample: &i16| sample.unsigned_abs() > AUDIBLE;
    let first = stretch.iter().position(loud)?;
    let last = stretch.iter().rposition(loud)?;
    Some((
        instant(offset + first).max(start),
        instant(offset + last + PER_MILLI).min(end),
    ))
}

fn centiseconds(value: i64) -> Duration {
    Duration::from_millis(u64::try_from(value).unwrap_or(0).saturating_mul(10))
}

fn language(wanted: Option<&str>, multilingual: bool) -> Result<&'static str, LoadError> {
    let Some(wanted) = wanted else {
        return Ok(if multilingual { "auto" } else { "en" });
    };
    let known = (!wanted.contains('\0'))
        .then(|| whisper_rs::get_lang_id(wanted).and_then(whisper_rs::get_lang_str))
        .flatten();
    let detail = match known {
        Some("en") => return Ok("en"),
        Some(language) if multilingual => return Ok(language),
        Some(language) => {
            format!("{language:?} needs a multilingual model, this one knows English only")
        }
        None => format!("{wanted:?} is no language code such as \"en\""),
    };
    Err(LoadError::Config {
        setting: "the language of the speech model",
        detail,
    })
}

fn default_threads() -> usize {
    std::thread::available_parallelism()
        .map_or(1, NonZeroUsize::get)
        .min(MAX_THREADS)
}

fn id(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy())
        .map(|name| name.strip_suffix(".bin").unwrap_or(&name).to_owned())
        .unwrap_or_default()
}

fn fault(source: WhisperError) -> Error {
    Error::Unavailable {
        detail: "whisper.cpp failed".to_owned(),
        source: Some(source.into()),
    }
}
