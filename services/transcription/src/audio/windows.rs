//! Where to cut a long recording.

use std::ops::Range;
use std::time::Duration;

use super::SAMPLE_RATE;

/// The longest window that an engine is given by default: bounds memory, and how stale progress can be.
pub const MAX_WINDOW: Duration = Duration::from_secs(5 * 60);

const RATE: usize = SAMPLE_RATE as usize;
/// A frame of 20 ms, the resolution of a cut.
const FRAME: usize = RATE / 50;
/// A pause has to be this many frames (300 ms) to be worth cutting in.
const PAUSE: usize = 15;
/// How far before the latest possible place a cut may lie.
const SEARCH: usize = 30 * RATE;

/// Ranges of at most `max` that cover `samples` in order.
pub(super) fn split(samples: &[i16], max: Duration) -> Vec<Range<usize>> {
    let max = usize::try_from(max.as_millis())
        .unwrap_or(usize::MAX)
        .saturating_mul(RATE / 1000)
        .max(RATE);
    let mut ranges = Vec::new();
    let mut start = 0;
    while samples.len() - start > max {
        let left = samples.len() - start;
        // The last two windows share what is left, or a crumb would remain that holds half a word.
        let latest = max.min(left / 2 + SEARCH.min(max) / 2);
        let earliest = latest.saturating_sub(SEARCH).max(latest / 2);
        let cut = start + earliest + quietest(&samples[start + earliest..start + latest]);
        ranges.push(start..cut);
        start = cut;
    }
    ranges.push(start..samples.len());
    ranges
}

/// The middle of the quietest pause; of equals the last, which leaves the fewest windows.
fn quietest(samples: &[i16]) -> usize {
    let frames: Vec<u64> = samples
        .chunks_exact(FRAME)
        .map(|frame| {
            frame
                .iter()
                .map(|&s| u64::from(s.unsigned_abs()).pow(2))
                .sum()
        })
        .collect();
    frames
        .windows(PAUSE)
        .enumerate()
        .map(|(index, pause)| (pause.iter().sum::<u64>(), index))
        .min_by_key(|&(energy, index)| (energy, std::cmp::Reverse(index)))
        .map_or(samples.len(), |(_, index)| (index + PAUSE / 2) * FRAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<i16> {
        (0..len)
            .map(|i| if i % 2 == 0 { 8_000 } else { -8_000 })
            .collect()
    }

    fn cover(samples: &[i16], max: Duration) -> Vec<Range<usize>> {
        let ranges = split(samples, max);
        assert_eq!(ranges.first().map(|r| r.start), Some(0));
        assert_eq!(ranges.last().map(|r| r.end), Some(samples.len()));
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        ranges
    }

    #[test]
    fn a_short_recording_stays_whole() {
        assert_eq!(cover(&noise(RATE), MAX_WINDOW).len(), 1);
        assert_eq!(cover(&noise(300 * RATE), MAX_WINDOW).len(), 1);
    }

    #[test]
    fn a_cut_lies_in_the_pause() {
        let mut samples = noise(8 * 60 * RATE);
        let pause = 4 * 60 * RATE + 2 * RATE;
        samples[pause..pause + RATE / 2].fill(0);
        let ranges = cover(&samples, MAX_WINDOW);
        assert_eq!(ranges.len(), 2);
        assert!((pause..pause + RATE / 2).contains(&ranges[0].end));
    }

    #[test]
    fn no_window_is_longer_than_asked_and_none_is_a_crumb() {
        for seconds in [301, 330, 599, 600, 601, 3_600, 7_200] {
            for range in cover(&noise(seconds * RATE), MAX_WINDOW) {
                assert!(range.len() <= 300 * RATE, "{seconds} s");
                assert!(range.len() >= 100 * RATE, "{seconds} s: {}", range.len());
            }
        }
    }

    #[test]
    fn even_a_tiny_window_makes_progress() {
        let ranges = cover(&noise(10 * RATE), Duration::ZERO);
        assert!(ranges.iter().all(|range| range.len() <= RATE));
    }
}
