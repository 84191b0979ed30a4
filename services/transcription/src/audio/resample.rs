//! Mono floats of any sample rate in, 16-bit samples at [`SAMPLE_RATE`] out.

use std::time::Duration;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use super::{Error, Pcm, SAMPLE_RATE, duration_of};

/// The sample rates that are accepted, in Hz.
pub(super) const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// -60 dB of full scale.
const SILENCE: i16 = 33;

/// Collects the result and watches its length and loudness.
#[derive(Debug)]
pub(super) struct Sink {
    samples: Vec<i16>,
    /// How many samples came before the first sound. They are not stored: hours of nothing cost nothing.
    quiet: usize,
    /// The extremes so far; their distance is the loudness, whatever the offset of a cheap converter.
    low: i16,
    high: i16,
    max_samples: usize,
    limit: Duration,
    stage: Option<Stage>,
}

impl Sink {
    pub(super) fn new(limit: Duration) -> Self {
        let max_samples = usize::try_from(limit.as_millis())
            .unwrap_or(usize::MAX)
            .saturating_mul(SAMPLE_RATE as usize / 1000);
        Self {
            samples: Vec::new(),
            quiet: 0,
            low: i16::MAX,
            high: i16::MIN,
            max_samples,
            limit,
            stage: None,
        }
    }

    /// How much was taken so far, up to what a resampler still holds back.
    pub(super) fn position(&self) -> Duration {
        duration_of(self.quiet.max(self.samples.len()))
    }

    /// Takes the next samples. The rate may change between two calls.
    pub(super) fn push(&mut self, mono: &[f32], rate: u32) -> Result<(), Error> {
        if rate == SAMPLE_RATE {
            self.flush()?;
            return self.store(mono);
        }
        let mut stage = match self.stage.take() {
            Some(stage) if stage.rate == rate => stage,
            other => {
                self.stage = other;
                self.flush()?;
                Stage::new(rate)?
            }
        };
        let result = stage.push(mono, |samples| self.store(samples));
        self.stage = Some(stage);
        result
    }

    /// Ends the recording.
    pub(super) fn finish(mut self) -> Result<Pcm, Error> {
        self.flush()?;
        if !self.samples.is_empty() {
            return Ok(Pcm::new(self.samples));
        }
        if self.quiet == 0 {
            return Err(Error::Empty);
        }
        Err(Error::Silent {
            duration: duration_of(self.quiet),
        })
    }

    fn flush(&mut self) -> Result<(), Error> {
        match self.stage.take() {
            Some(stage) => stage.finish(|samples| self.store(samples)),
            None => Ok(()),
        }
    }

    fn store(&mut self, samples: &[f32]) -> Result<(), Error> {
        let taken = self.quiet.max(self.samples.len());
        if taken.saturating_add(samples.len()) > self.max_samples {
            return Err(Error::TooLong { limit: self.limit });
        }
        if self.samples.is_empty() {
            for &sample in samples {
                let sample = quantise(sample);
                self.low = self.low.min(sample);
                self.high = self.high.max(sample);
            }
            let span = i32::from(self.high) - i32::from(self.low);
            if span <= 2 * i32::from(SILENCE) {
                self.quiet += samples.len();
                return Ok(());
            }
            self.samples = vec![0; self.quiet];
        }
        self.samples.extend(samples.iter().copied().map(quantise));
        Ok(())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped just before; NaN becomes 0"
)]
fn quantise(sample: f32) -> i16 {
    (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// One run of one sample rate.
struct Stage {
    rate: u32,
    resampler: Fft<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    taken: u64,
    given: u64,
    /// Output frames of the filter's delay that are still to be dropped.
    delay: usize,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

impl Stage {
    fn new(rate: u32) -> Result<Self, Error> {
        if !RATES.contains(&rate) {
            return Err(Error::Unsupported {
                detail: format!(
                    "a sample rate of {rate} Hz, where {} to {} Hz are read",
                    RATES.start(),
                    RATES.end()
                ),
            });
        }
        // Blocks of about 62 ms, however the rate: long enough for a steep filter.
        let chunk = rate as usize / 16;
        let resampler = Fft::new_custom(
            rate as usize,
            SAMPLE_RATE as usize,
            chunk,
            1,
            1,
            rubato::WindowFunction::BlackmanHarris2,
            FixedSync::Input,
        )
        .map_err(|_| Error::Unsupported {
            detail: format!("a sample rate of {rate} Hz"),
        })?;
        Ok(Self {
            rate,
            input: Vec::with_capacity(resampler.input_frames_max()),
            output: vec![0.0; resampler.output_frames_max()],
            taken: 0,
            given: 0,
            delay: resampler.output_delay(),
            resampler,
        })
    }

    fn push(
        &mut self,
        mut mono: &[f32],
        mut store: impl FnMut(&[f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.taken += mono.len() as u64;
        while !mono.is_empty() {
            let wanted = self.resampler.input_frames_next() - self.input.len();
            let (now, later) = mono.split_at(wanted.min(mono.len()));
            self.input.extend_from_slice(now);
            mono = later;
            if now.len() == wanted {
                self.step(None, u64::MAX, &mut store)?;
            }
        }
        Ok(())
    }

    /// Feeds what is left and then silence, until as much has come out as belongs to what went in.
    fn finish(mut self, mut store: impl FnMut(&[f32]) -> Result<(), Error>) -> Result<(), Error> {
        let all = (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate));
        while self.given < all {
            let left = self.input.len();
            self.step(Some(left), all, &mut store)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        partial: Option<usize>,
        all: u64,
        store: &mut impl FnMut(&[f32]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let frames = self.resampler.input_frames_next();
        self.input.resize(frames, 0.0);
        let room = self.output.len();
        let indexing = Indexing {
            partial_len: partial,
            ..Indexing::default()
        };
        let written = InterleavedSlice::new(&self.input[..], 1, frames)
            .and_then(|input| {
                InterleavedSlice::new_mut(&mut self.output[..], 1, room)
                    .map(|output| (input, output))
            })
            .map_err(|_| broken())
            .and_then(|(input, mut output)| {
                self.resampler
                    .process_into_buffer(&input, &mut output, Some(&indexing))
                    .map_err(|_| broken())
            })?
            .1;
        self.input.clear();
        let skipped = self.delay.min(written);
        self.delay -= skipped;
        let end = written
            .min(skipped.saturating_add(usize::try_from(all - self.given).unwrap_or(usize::MAX)));
        self.given += (end - skipped) as u64;
        store(&self.output[skipped..end])
    }
}

/// Sizes are ours, so the resampler has nothing to complain of; should it, the recording is not to blame but lost.
fn broken() -> Error {
    Error::Corrupt {
        at: Duration::ZERO,
        detail: "its sample rate could not be converted",
    }
}
