//! The mel filter bank that Whisper was trained with: Slaney's scale and area normalisation, 16 kHz, 400-point FFT.
//!
//! A model file carries it, and the file's hash is pinned, so the numbers must come out the same on every machine. Only
//! `+ - * /` are used: IEEE 754 fixes their results, while `exp` of the system's library differs in the last bit.

const SAMPLE_RATE: f64 = 16_000.0;
const FFT_SIZE: f64 = 400.0;
/// Slaney's scale is linear up to 1 kHz, 15 mels, at 200/3 Hz each, and logarithmic above.
const BREAK_HZ: f64 = 1_000.0;
const BREAK_MEL: f64 = 15.0;
/// 27 mels above the break multiply the frequency by 6.4: this is `ln(6.4)`.
const LN_6_4: f64 = 1.856_297_990_365_626_3;
/// `ln(8)`: the Nyquist frequency, 8 kHz, is 8 times the break.
const LN_8: f64 = 2.079_441_541_679_835_7;

/// Rows of the bank: mel bands.
pub(crate) const BANDS: u16 = 80;
/// Columns of the bank: FFT bins from 0 Hz to the Nyquist frequency.
pub(crate) const BINS: u16 = 201;

/// The weights, band by band.
pub(crate) fn filter_bank() -> Vec<f32> {
    let top = BREAK_MEL + 27.0 * LN_8 / LN_6_4;
    let edges: Vec<f64> = (0..BANDS + 2)
        .map(|edge| mel_to_hz(top * f64::from(edge) / f64::from(BANDS + 1)))
        .collect();
    let mut bank = Vec::with_capacity(usize::from(BANDS) * usize::from(BINS));
    for edge in edges.windows(3) {
        let &[low, centre, high] = edge else { continue };
        let area = 2.0 / (high - low);
        for bin in 0..BINS {
            let hz = f64::from(bin) * SAMPLE_RATE / FFT_SIZE;
            let rising = (hz - low) / (centre - low);
            let falling = (high - hz) / (high - centre);
            bank.push(narrow(area * rising.min(falling).max(0.0)));
        }
    }
    bank
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < BREAK_MEL {
        mel * 200.0 / 3.0
    } else {
        BREAK_HZ * exp((mel - BREAK_MEL) * LN_6_4 / 27.0)
    }
}

/// `e^x` for `0 <= x <= 3` by its power series; 40 terms are more than an `f64` can tell apart there.
fn exp(x: f64) -> f64 {
    let (sum, _) = (1..40_u32).fold((1.0, 1.0), |(sum, term), n| {
        let term = term * x / f64::from(n);
        (sum + term, term)
    });
    sum
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the file holds f32; the weights lie between 0 and 0.03"
)]
fn narrow(weight: f64) -> f32 {
    weight as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bank_agrees_with_the_reference_at_known_places() {
        // Values of librosa 0.10: `mel(sr=16000, n_fft=400, n_mels=80)[band, bin]`.
        fn check(band: u16, bin: u16, expect: f32) {
            let weight = filter_bank()[usize::from(band) * usize::from(BINS) + usize::from(bin)];
            assert!(
                (weight - expect).abs() <= 1e-8,
                "band {band}, bin {bin}: {weight}, expected {expect}"
            );
        }
        check(0, 0, 0.0);
        check(0, 1, 0.024_862_594);
        check(0, 2, 0.0);
        check(1, 1, 0.001_990_822);
        check(1, 2, 0.022_871_772);
        check(20, 19, 0.010_972_2);
        check(40, 48, 0.0);
        check(40, 49, 0.0);
        check(60, 97, 0.0);
        check(79, 195, 0.002_243_795_2);
        check(79, 200, 0.0);
    }

    #[test]
    fn every_band_has_weight_and_none_has_a_negative_one() {
        let bank = filter_bank();
        assert_eq!(bank.len(), 80 * 201);
        for band in bank.chunks(usize::from(BINS)) {
            assert!(band.iter().all(|weight| (0.0..0.03).contains(weight)));
            assert!(band.iter().sum::<f32>() > 0.0);
        }
    }

    #[test]
    fn the_power_series_is_the_exponential() {
        for x in [0.0, 0.5, 1.0, LN_6_4, LN_8, 3.0] {
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-15, "exp({x})");
        }
    }
}
