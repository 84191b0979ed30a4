//! Recordings: of people, and of nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Debian's pocketsphinx-testdata: sentences of a novel, read aloud, with their text.
const CLIPS: &str = "/usr/share/pocketsphinx/test/data/librivox";
const RATE: u32 = 16_000;

pub(crate) struct Clip {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn clips() -> Vec<Clip> {
    let folder = Path::new(CLIPS);
    let texts = std::fs::read_to_string(folder.join("transcription"))
        .unwrap_or_else(|error| panic!("{CLIPS}: {error}; install Debian's pocketsphinx-testdata"));
    texts
        .lines()
        .map(|line| {
            // `<s> the words </s> (the-name)`
            let (text, name) = line.rsplit_once('(').unwrap();
            let path = folder
                .join(name.trim_end_matches(')'))
                .with_extension("wav");
            Clip {
                path,
                text: text.replace("<s>", "").replace("</s>", ""),
            }
        })
        .collect()
}

/// All clips one after the other, twice: long enough to be killed in the middle.
pub(crate) fn long_visit() -> NamedTempFile {
    let one: Vec<u8> = clips()
        .iter()
        .flat_map(|clip| {
            let bytes = std::fs::read(&clip.path).unwrap();
            let data = bytes
                .windows(4)
                .position(|window| window == b"data")
                .unwrap();
            bytes[data + 8..].to_vec()
        })
        .collect();
    let mut file = tempfile::Builder::new().suffix(".wav").tempfile().unwrap();
    file.write_all(&wav(&one.repeat(2))).unwrap();
    file
}

/// A WAV file of 16-bit samples, mono, 16 kHz.
fn wav(data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(RATE.to_le_bytes());
    file.extend((RATE * 2).to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

/// A name, the bytes, and what the answer must say.
pub(crate) fn bad_recordings() -> Vec<(&'static str, Vec<u8>, Vec<&'static str>)> {
    let speech = std::fs::read(&clips()[0].path).unwrap();
    let mut liar = wav(&speech[44..]);
    liar.truncate(speech.len() / 2);
    vec![
        (
            "not-audio.wav",
            b"Dear diary, this is no recording.".repeat(100),
            vec!["audio", "AUDIO_UNSUPPORTED"],
        ),
        ("empty.wav", Vec::new(), vec!["audio", "AUDIO_EMPTY"]),
        ("no-samples.wav", wav(&[]), vec!["audio", "AUDIO_"]),
        (
            "silence.wav",
            wav(&vec![0; 60 * 2 * RATE as usize]),
            vec!["audio", "AUDIO_SILENT"],
        ),
        ("header-lies.wav", liar, vec!["audio", "AUDIO_CORRUPT"]),
        (
            "too-large.wav",
            wav(&vec![1; 100 * 1024 * 1024]),
            vec!["audio", "AUDIO_TOO_LARGE", "26214400"],
        ),
    ]
}

/// The words of a text, without case and punctuation.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.replace("Mr.", "mister")
        .replace('-', " ")
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// How many words must be put in, taken out or replaced to make `heard` of `said` (Levenshtein).
pub(crate) fn word_errors(said: &str, heard: &str) -> u32 {
    let (said, heard) = (words(said), words(heard));
    let mut row: Vec<u32> = (0..=u32::try_from(heard.len()).unwrap()).collect();
    for (i, word) in said.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = u32::try_from(i).unwrap() + 1;
        for (j, other) in heard.iter().enumerate() {
            let substituted = diagonal + u32::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[heard.len()]
}
