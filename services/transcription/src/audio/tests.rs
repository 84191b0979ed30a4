#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking"
)]

use std::f64::consts::TAU;

use super::fixtures::{Random, Sample, Subframe, flac, flac_constant, tone, wav, with_data_size};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn decoded(bytes: &[u8]) -> Pcm {
    decode(bytes, &Limits::default()).unwrap()
}

fn refused(bytes: &[u8]) -> Error {
    decode(bytes, &Limits::default()).unwrap_err()
}

/// The amplitude of one frequency, of full scale.
fn amplitude(samples: &[i16], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, &sample) in samples.iter().enumerate() {
        let angle = TAU * hertz * i as f64 / f64::from(SAMPLE_RATE);
        re += f64::from(sample) / 32_768.0 * angle.cos();
        im += f64::from(sample) / 32_768.0 * angle.sin();
    }
    2.0 * (re * re + im * im).sqrt() / samples.len() as f64
}

fn assert_tone(pcm: &Pcm, seconds: f64, what: &str) {
    let off = (pcm.duration().as_secs_f64() - seconds).abs();
    assert!(off < 0.003, "{what}: {off} s off");
    let inner = &pcm.samples()[800..pcm.samples().len() - 800];
    let level = amplitude(inner, 440.0);
    assert!((level - 0.5).abs() < 0.01, "{what}: level {level}");
    let rms = (inner.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / inner.len() as f64)
        .sqrt()
        / 32_768.0;
    let noise = (rms * rms - level * level / 2.0).max(0.0).sqrt();
    assert!(noise < 0.01, "{what}: noise {noise}");
}

#[test]
fn every_sample_rate_keeps_pitch_level_and_duration() {
    for rate in [
        8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 37_800, 44_056, 44_100, 47_952,
        48_000, 88_200, 96_000, 176_400, 192_000,
    ] {
        for seconds in [0.5, 1.037, 2.0] {
            let file = wav(&tone(rate, seconds), rate, 1, Sample::I16);
            assert_tone(&decoded(&file), seconds, &format!("{rate} Hz, {seconds} s"));
        }
    }
}

#[test]
fn every_sample_format_and_channel_count_is_the_same_sound() {
    for sample in Sample::ALL {
        for channels in [1, 2, 3, 6, 8] {
            let file = wav(&tone(44_100, 1.0), 44_100, channels, sample);
            assert_tone(&decoded(&file), 1.0, &format!("{sample:?} x {channels}"));
        }
    }
}

#[test]
fn resampling_keeps_the_onset_and_lets_nothing_fold_back() {
    let mut signal = vec![0.0; 48_000];
    signal.extend(tone(48_000, 1.0));
    let pcm = decoded(&wav(&signal, 48_000, 1, Sample::I16));
    let onset = pcm.samples().iter().position(|&s| s > 3_000).unwrap();
    assert!(onset.abs_diff(16_000) < 16, "onset at sample {onset}");

    // 11 kHz cannot be told in 16 kHz: it must vanish, not come back as 5 kHz.
    let high: Vec<f64> = (0..96_000)
        .map(|i| 0.5 * (TAU * 11_000.0 * f64::from(i) / 48_000.0).sin())
        .zip(tone(48_000, 2.0))
        .map(|(high, low)| high + low / 2.0)
        .collect();
    let pcm = decoded(&wav(&high, 48_000, 1, Sample::F32));
    assert!(amplitude(pcm.samples(), 5_000.0) < 0.0005);
    assert!((amplitude(pcm.samples(), 440.0) - 0.25).abs() < 0.01);
}

#[test]
fn channels_are_averaged() {
    let mut file = wav(&tone(16_000, 1.0), 16_000, 2, Sample::I16);
    for frame in file[44..].chunks_exact_mut(4) {
        frame[2..].fill(0);
    }
    assert!((amplitude(decoded(&file).samples(), 440.0) - 0.25).abs() < 0.01);
}

#[test]
fn float_files_may_hold_anything() {
    let mut file = wav(&tone(44_100, 1.0), 44_100, 1, Sample::F32);
    for (index, value) in [f32::NAN, f32::INFINITY, -1e30, 5.0]
        .into_iter()
        .enumerate()
    {
        let at = 44 + 40_000 + 4 * index;
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    assert!((amplitude(decoded(&file).samples(), 440.0) - 0.5).abs() < 0.01);
}

#[test]
fn streamed_headers_are_read_to_the_end() {
    let file = wav(&tone(16_000, 1.0), 16_000, 1, Sample::I16);
    for size in [0, u32::MAX, 0x7FFF_FFFF, 0x8000_0000] {
        let mut file = with_data_size(file.clone(), size);
        file[4..8].copy_from_slice(&size.to_le_bytes());
        assert_eq!(decoded(&file).duration(), SECOND, "size {size:#x}");
    }
}

#[test]
fn a_long_wav_and_other_chunks_are_read() {
    let plain = wav(&tone(16_000, 1.0), 16_000, 1, Sample::I16);
    let mut file = b"RF64\xFF\xFF\xFF\xFFWAVEds64".to_vec();
    file.extend(28_u32.to_le_bytes());
    file.extend([0; 8]);
    file.extend(32_000_u64.to_le_bytes());
    file.extend([0; 12]);
    file.extend(b"LIST\x05\x00\x00\x00INFOx\x00");
    file.extend(&plain[12..40]);
    file.extend(u32::MAX.to_le_bytes());
    file.extend(&plain[44..]);
    file.extend(b"LIST\x04\x00\x00\x00INFO");
    assert_tone(&decoded(&file), 1.0, "RF64");
}

#[test]
fn extensible_headers_are_resolved() {
    let plain = wav(&tone(48_000, 1.0), 48_000, 2, Sample::I24);
    let mut file = plain[..16].to_vec();
    file.extend(40_u32.to_le_bytes());
    file.extend(0xFFFE_u16.to_le_bytes());
    file.extend(&plain[22..36]);
    file.extend([22, 0, 24, 0, 3, 0, 0, 0, 1, 0]);
    file.extend(*b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71");
    file.extend(&plain[36..]);
    assert_tone(&decoded(&file), 1.0, "extensible");
}

#[test]
fn headers_that_lie_are_found_out() {
    let file = wav(&tone(16_000, 2.0), 16_000, 1, Sample::I16);
    let lies = |bytes: &[u8], promised: u64, found: u64| {
        let error = refused(bytes);
        assert_eq!(error.reason(), "AUDIO_HEADER_MISMATCH", "{error}");
        let said = format!("promises {promised} and there are {found}");
        assert!(error.to_string().contains(&said), "{error}");
    };
    // More promised than there is, also by a broken upload.
    lies(&with_data_size(file.clone(), 96_000), 96_000, 64_000);
    lies(&file[..40_000], 64_000, 39_956);
    // Less promised than there is.
    lies(&with_data_size(file.clone(), 8_000), 8_000, 64_000);
    // Two channels promised, and blocks of one.
    let mut stereo = file.clone();
    stereo[22] = 2;
    lies(&stereo, 2, 4);
    // A lost last buffer is no lie.
    assert_eq!(
        decoded(&file[..file.len() - 1_000]).duration(),
        Duration::from_millis(1_968) + Duration::from_micros(750)
    );
}

#[test]
fn what_is_not_a_recording_is_named() {
    let check = |bytes: &[u8], reason: &str| assert_eq!(refused(bytes).reason(), reason);
    let file = wav(&tone(16_000, 1.0), 16_000, 1, Sample::I16);
    check(b"", "AUDIO_EMPTY");
    check(&file[..44], "AUDIO_HEADER_MISMATCH");
    check(&with_data_size(file[..44].to_vec(), 0), "AUDIO_EMPTY");
    check(&file[..36], "AUDIO_EMPTY");
    check(b"%PDF-1.7 and so on", "AUDIO_UNSUPPORTED");
    check(b"Dear colleague, thank you for", "AUDIO_UNSUPPORTED");
    check(b"\x89PNG\r\n\x1A\n\x00\x00\x00\rIHDR", "AUDIO_UNSUPPORTED");
    check(&[0; 5_000], "AUDIO_UNSUPPORTED");
    let too_slow = wav(&tone(4_000, 1.0), 4_000, 1, Sample::I16);
    check(&too_slow, "AUDIO_UNSUPPORTED");
    let message = refused(&too_slow).to_string();
    assert!(
        message.contains("4000 Hz, where 8000 to 192000 Hz are read"),
        "{message}"
    );
    assert!(message.contains("FLAC"), "{message}");
    let mut no_channels = file.clone();
    no_channels[22] = 0;
    check(&no_channels, "AUDIO_UNSUPPORTED");
    let mut odd = file;
    odd[34] = 12;
    check(&odd, "AUDIO_UNSUPPORTED");
}

#[test]
fn limits_hold() {
    let file = wav(&tone(16_000, 2.0), 16_000, 1, Sample::I16);
    let limits = Limits {
        max_encoded_bytes: file.len() as u64,
        max_duration: 2 * SECOND,
    };
    assert!(decode(&file, &limits).is_ok());
    let smaller = Limits {
        max_encoded_bytes: file.len() as u64 - 1,
        ..limits
    };
    assert_eq!(
        decode(&file, &smaller).unwrap_err().reason(),
        "AUDIO_TOO_LARGE"
    );
    let shorter = Limits {
        max_duration: SECOND,
        ..limits
    };
    assert_eq!(
        decode(&file, &shorter).unwrap_err().reason(),
        "AUDIO_TOO_LONG"
    );
}

#[test]
fn a_small_file_that_holds_hours_is_stopped() {
    let an_hour = flac_constant(14_063, 0);
    assert!(an_hour.len() < 300_000);
    let limits = Limits {
        max_duration: 60 * SECOND,
        ..Limits::default()
    };
    assert_eq!(
        decode(&an_hour, &limits).unwrap_err().reason(),
        "AUDIO_TOO_LONG"
    );
}

#[test]
fn an_hour_of_silence_is_silence() {
    let Error::Silent { duration } = refused(&flac_constant(14_063, 0)) else {
        panic!("not found silent");
    };
    assert_eq!(duration.as_secs(), 3_600);
    // A constant offset is no sound either, nor is what lies below -60 dBFS.
    assert_eq!(refused(&flac_constant(20, 900)).reason(), "AUDIO_SILENT");
    let whisper: Vec<f64> = tone(48_000, 1.0).iter().map(|s| s / 600.0).collect();
    let file = wav(&whisper, 48_000, 1, Sample::I24);
    assert_eq!(refused(&file).reason(), "AUDIO_SILENT");
    let audible: Vec<f64> = tone(48_000, 1.0).iter().map(|s| s / 100.0).collect();
    decoded(&wav(&audible, 48_000, 1, Sample::I24));
}

#[test]
fn silence_before_the_first_word_keeps_its_time() {
    let mut signal = vec![0.0; 16_000 * 30];
    signal.extend(tone(16_000, 1.0));
    let pcm = decoded(&wav(&signal, 16_000, 1, Sample::I16));
    assert_eq!(pcm.duration(), 31 * SECOND);
    assert!(pcm.samples()[..480_000].iter().all(|&s| s == 0));
    assert!(pcm.samples()[480_001] > 1_000);
}

#[test]
fn flac_is_read_and_a_broken_one_is_not() {
    let samples = decoded(&wav(&tone(16_000, 3.0), 16_000, 1, Sample::I16))
        .samples()
        .to_vec();
    let file = flac(&samples, Subframe::Verbatim);
    assert_eq!(decoded(&file).samples(), samples);
    let Error::Truncated { promised, found } = refused(&file[..file.len() / 2]) else {
        panic!("not found truncated");
    };
    assert_eq!(promised, Some(3 * SECOND));
    assert!(found < 2 * SECOND);
}

#[test]
fn a_window_is_a_wav_file() {
    let pcm = Arc::new(decoded(&wav(&tone(16_000, 3.0), 16_000, 1, Sample::I16)));
    let windows = pcm.windows(2 * SECOND);
    assert_eq!(
        windows.iter().map(Window::duration).sum::<Duration>(),
        3 * SECOND
    );
    for window in windows {
        assert_eq!(decoded(&window.to_wav()).samples(), window.samples());
    }
}

/// Whatever the bytes, there is an answer: no panic, no endless loop, no memory without end.
#[test]
fn rubbish_is_answered() {
    let samples = decoded(&wav(&tone(16_000, 0.5), 16_000, 1, Sample::I16))
        .samples()
        .to_vec();
    let mut ima = wav(&tone(16_000, 0.5), 16_000, 1, Sample::U8);
    ima[20] = 0x11;
    ima[34] = 4;
    let seeds = [
        wav(&tone(44_100, 0.2), 44_100, 2, Sample::I16),
        wav(&tone(8_000, 0.5), 8_000, 1, Sample::MuLaw),
        wav(&tone(16_000, 0.2), 16_000, 1, Sample::F64),
        ima,
        flac(&samples, Subframe::Verbatim),
        flac_constant(100, 1_000),
        b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x1E\x01vorbis".repeat(20),
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42isom\0\0\0\x20moov\0\0\0\x18mvhd".repeat(20),
        b"\xFF\xFB\x90\x64".repeat(500),
        b"\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\x82\x84webm\x18\x53\x80\x67".repeat(20),
        b"FORM\0\0\x10\0AIFFCOMM\0\0\0\x12\0\x01\0\0\x10\0\0\x10".repeat(20),
    ];
    let mut random = Random::new(20_261_123);
    let limits = Limits {
        max_encoded_bytes: 1 << 20,
        max_duration: 10 * SECOND,
    };
    for seed in &seeds {
        for _ in 0..150 {
            let mut bytes = seed.clone();
            for _ in 0..=random.below(8) {
                // Headers are where it hurts.
                let range = if random.below(2) == 0 {
                    64
                } else {
                    bytes.len()
                };
                let at = random.below(range.min(bytes.len()));
                bytes[at] = match random.below(4) {
                    0 => 0,
                    1 => 0xFF,
                    _ => random.next() as u8,
                };
            }
            if random.below(3) == 0 {
                bytes.truncate(random.below(bytes.len()));
            }
            if let Err(error) = decode(&bytes, &limits) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}
