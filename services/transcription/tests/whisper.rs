//! The speech engine on recordings of people.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints what it measured"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use scribemed_transcription::audio::{Limits, Pcm, decode};
use scribemed_transcription::engine::{
    self, Engine as _, Error, LoadError, Progress, Segment, Whisper, WhisperConfig,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Debian's pocketsphinx-testdata: five sentences of a novel, read aloud, with their text.
const CLIPS: &str = "/usr/share/pocketsphinx/test/data/librivox";

fn model() -> PathBuf {
    let path = std::env::var_os("TRANSCRIPTION_MODEL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.scribemed/models/ggml-tiny.en.bin"),
        PathBuf::from,
    );
    assert!(
        path.is_file(),
        "there is no speech model at {}: `cargo xtask model` installs it",
        path.display()
    );
    path
}

fn config(model: PathBuf) -> WhisperConfig {
    WhisperConfig {
        model,
        threads: None,
        language: None,
    }
}

static WHISPER: LazyLock<Whisper> = LazyLock::new(|| Whisper::load(&config(model())).unwrap());

fn clip(name: &str) -> Arc<Pcm> {
    let path = Path::new(CLIPS).join(name).with_extension("wav");
    let bytes = std::fs::read(&path).unwrap_or_else(|fault| {
        panic!(
            "{}: {fault}; install Debian's pocketsphinx-testdata",
            path.display()
        )
    });
    Arc::new(decode(&bytes, &Limits::default()).unwrap())
}

/// A recording from samples at 16 kHz.
fn pcm(samples: &[i16]) -> Arc<Pcm> {
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data\xFF\xFF\xFF\xFF"
        .to_vec();
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    Arc::new(decode(&file, &Limits::default()).unwrap())
}

async fn transcribe(pcm: &Arc<Pcm>) -> Vec<Segment> {
    let (progress, _seen) = watch::channel(Progress::default());
    engine::transcribe(&*WHISPER, pcm, &progress, &CancellationToken::new())
        .await
        .unwrap()
}

fn words(text: &str) -> Vec<String> {
    text.replace("Mr.", "mister")
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// How many words have to be changed, left out or put in (Levenshtein).
fn mistakes(expected: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in expected.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in heard.iter().enumerate() {
            let changed = diagonal + usize::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[heard.len()]
}

#[tokio::test]
async fn people_are_understood() {
    let texts = std::fs::read_to_string(Path::new(CLIPS).join("transcription")).unwrap();
    let (mut wrong, mut all, mut audio) = (0, 0, Duration::ZERO);
    LazyLock::force(&WHISPER);
    let started = Instant::now();
    for line in texts.lines() {
        let (text, name) = line.rsplit_once(" (").unwrap();
        let expected = words(text.trim_start_matches("<s>").trim_end_matches("</s>"));
        let pcm = clip(name.trim_end_matches(')'));
        let segments = transcribe(&pcm).await;
        let heard: Vec<String> = segments.iter().flat_map(|s| words(&s.text)).collect();
        wrong += mistakes(&expected, &heard);
        all += expected.len();
        audio += pcm.duration();
        for segment in &segments {
            assert!(segment.start < segment.end && segment.end <= pcm.duration());
            let confidence = segment.confidence.unwrap();
            assert!((0.3..=1.0).contains(&confidence), "{confidence}");
        }
    }
    let took = started.elapsed();
    println!(
        "{wrong} of {all} words wrong; {audio:?} of speech took {took:?}, real-time factor {:.2}",
        took.as_secs_f64() / audio.as_secs_f64()
    );
    assert_eq!(all, 71);
    assert!(wrong * 10 <= all, "{wrong} of {all} words are wrong");
}

#[tokio::test]
async fn what_is_no_speech_gives_no_text() {
    // Noise of a quiet room, a hum, and clicks.
    let mut state = 1_u32;
    let noise = pcm(&(0..16_000 * 8)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            i16::try_from(state >> 24).unwrap() - 128
        })
        .collect::<Vec<_>>());
    let hum = pcm(&(0..16_000 * 8)
        .map(|i| if i % 320 < 160 { 600 } else { -600 })
        .collect::<Vec<_>>());
    let clicks = pcm(&(0..16_000 * 40)
        .map(|i| if i % 160_000 == 80_000 { 20_000 } else { 0 })
        .collect::<Vec<_>>());
    for (name, pcm) in [("noise", noise), ("hum", hum), ("clicks", clicks)] {
        let segments = transcribe(&pcm).await;
        let texts: Vec<_> = segments.iter().map(|s| (&s.text, s.confidence)).collect();
        assert!(texts.is_empty(), "{name}: {texts:?}");
    }
}

#[tokio::test]
async fn speech_after_a_long_pause_has_its_time() {
    let mut samples = vec![0; 16_000 * 40];
    samples.extend(clip("sense_and_sensibility_01_austen_64kb-0880").samples());
    let segments = transcribe(&pcm(&samples)).await;
    let text = segments.iter().map(|s| s.text.as_str()).collect::<String>();
    assert!(text.contains("young man"), "{text}");
    assert!(segments[0].start >= Duration::from_secs(39), "{segments:?}");
}

#[tokio::test]
async fn a_cancelled_run_ends_early() {
    let mut samples = Vec::new();
    for _ in 0..20 {
        samples.extend(clip("sense_and_sensibility_01_austen_64kb-0870").samples());
    }
    let pcm = pcm(&samples);
    let (progress, mut seen) = watch::channel(Progress::default());
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let stopper = tokio::spawn(async move {
        // The first progress is made after the first half a minute of the recording.
        seen.wait_for(|progress| progress.done > Duration::ZERO)
            .await
            .unwrap();
        stop.cancel();
    });
    let result = engine::transcribe(&*WHISPER, &pcm, &progress, &cancel).await;
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert!(progress.borrow().done < pcm.duration());
    stopper.await.unwrap();
}

#[test]
fn the_model_is_named_and_hashed() {
    let model = WHISPER.model();
    assert!(model.id.starts_with("ggml-"), "{}", model.id);
    assert!(!model.id.contains(".bin"), "{}", model.id);
    assert_eq!(model.sha256.as_ref().unwrap().len(), 64);
}

#[test]
fn what_is_no_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ggml-odd.bin");
    let load = |bytes: &[u8]| {
        std::fs::File::create(&path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        let error = Whisper::load(&config(path.clone())).unwrap_err();
        assert!(matches!(error, LoadError::NotAModel { .. }), "{error}");
        assert!(error.to_string().contains("cargo xtask model"), "{error}");
    };
    load(b"");
    load(b"PK\x03\x04 a wheel, perhaps, that nobody has unpacked or converted");
    load(b"GGUF\x03\0\0\0 is what llama.cpp reads, and whisper.cpp does not.");
    let whole = std::fs::read(model()).unwrap();
    // A download that broke off, in the header and in the weights.
    load(&whole[..60]);
    load(&whole[..10_000]);
    load(&whole[..whole.len() / 2]);
    load(&whole[..whole.len() - 1_000]);
    let mut huge = whole[..10_000].to_vec();
    huge[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    load(&huge);

    std::fs::remove_file(&path).unwrap();
    let error = Whisper::load(&config(path)).unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }), "{error}");
    let german = WhisperConfig {
        language: Some("de".to_owned()),
        ..config(model())
    };
    let error = Whisper::load(&german).unwrap_err();
    assert!(error.to_string().contains("knows English only"), "{error}");
}
