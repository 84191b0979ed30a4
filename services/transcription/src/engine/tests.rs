#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Mutex;

use super::*;
use crate::audio::{Limits, decode};

/// A recording of a hum.
fn hum(seconds: usize) -> Arc<Pcm> {
    let mut samples = vec![0_i16; seconds * 16_000];
    for (index, sample) in samples.iter_mut().enumerate() {
        *sample = if index % 100 < 50 { 8_000 } else { -8_000 };
    }
    let data = samples.len() * 2;
    let mut file =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data"
            .to_vec();
    file.extend(u32::try_from(data).unwrap().to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    Arc::new(decode(&file, &Limits::default()).unwrap())
}

/// Says one thing about each window, 1 to 2 seconds in, and remembers how long the windows were.
struct Scripted {
    model: Model,
    heard: Mutex<Vec<Duration>>,
    cancels_after: usize,
}

impl Scripted {
    fn new(cancels_after: usize) -> Self {
        Self {
            model: Model {
                id: "scripted".to_owned(),
                sha256: None,
            },
            heard: Mutex::default(),
            cancels_after,
        }
    }
}

impl Engine for Scripted {
    fn model(&self) -> &Model {
        &self.model
    }

    fn transcribe(
        &self,
        window: Window,
        meter: Meter,
        cancel: CancellationToken,
    ) -> Transcribing<'_> {
        Box::pin(async move {
            let mut heard = self.heard.lock().unwrap();
            heard.push(window.duration());
            meter.heard(0.5);
            meter.heard(0.25);
            meter.heard(f32::NAN);
            if heard.len() == self.cancels_after {
                cancel.cancel();
            }
            Ok(vec![Segment {
                index: 0,
                start: Duration::from_secs(1),
                end: Duration::from_secs(2),
                text: "hello".to_owned(),
                confidence: Some(0.5),
            }])
        })
    }
}

#[tokio::test]
async fn a_long_recording_is_one_transcript() {
    let engine = Scripted::new(0);
    let pcm = hum(12 * 60);
    let (progress, mut seen) = watch::channel(Progress::default());
    let segments = transcribe(&engine, &pcm, &progress, &CancellationToken::new())
        .await
        .unwrap();

    let heard = engine.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    assert!(heard.iter().all(|window| *window <= MAX_WINDOW));
    assert_eq!(heard.iter().sum::<Duration>(), pcm.duration());
    let starts: Vec<_> = segments.iter().map(|s| (s.index, s.start)).collect();
    let second = Duration::from_secs(1);
    assert_eq!(
        starts,
        [
            (0, second),
            (1, heard[0] + second),
            (2, heard[0] + heard[1] + second)
        ]
    );
    let last = seen.borrow_and_update();
    assert_eq!((last.done, last.total), (pcm.duration(), pcm.duration()));
    assert_eq!(last.segments, segments);
}

#[tokio::test]
async fn a_cancelled_transcription_keeps_what_was_heard() {
    let engine = Scripted::new(1);
    let (progress, seen) = watch::channel(Progress::default());
    let cancel = CancellationToken::new();
    let result = transcribe(&engine, &hum(12 * 60), &progress, &cancel).await;
    assert!(matches!(result, Err(Error::Cancelled)));
    assert_eq!(seen.borrow().segments.len(), 1);
    assert_eq!(engine.heard.lock().unwrap().len(), 1);
}

#[test]
fn progress_never_goes_back() {
    let (progress, seen) = watch::channel(Progress::default());
    let meter = Meter {
        progress,
        start: Duration::from_secs(10),
        length: Duration::from_secs(10),
    };
    let check = |share: f32, expected: u64| {
        meter.heard(share);
        assert_eq!(seen.borrow().done, Duration::from_secs(expected), "{share}");
    };
    check(0.5, 15);
    check(0.2, 15);
    check(f32::NAN, 15);
    check(7.0, 20);
}

#[test]
fn marks_are_no_speech() {
    let check = |text: &str, expected: Option<&str>| {
        assert_eq!(spoken(text).as_deref(), expected, "{text:?}");
    };
    check(" He was ill. ", Some("He was ill."));
    check("[BLANK_AUDIO]", None);
    check("[ Silence ] Yes.  [coughs]", Some("Yes."));
    check("(door closes)", None);
    check("120/80 (sitting)", Some("120/80 (sitting)"));
    check("(sitting) 120/80 (lying)", Some("(sitting) 120/80 (lying)"));
    check("*sighs*", None);
    check("♪ la la ♪", None);
    check("...", None);
    check("  ", None);
    check("Yes [cut", Some("Yes"));
}

#[test]
fn what_was_said_is_not_printed() {
    let segment = Segment {
        index: 0,
        start: Duration::ZERO,
        end: Duration::ZERO,
        text: "chest pain".to_owned(),
        confidence: None,
    };
    let progress = Progress {
        segments: vec![segment],
        ..Progress::default()
    };
    assert!(!format!("{progress:?}").contains("chest"));
}
