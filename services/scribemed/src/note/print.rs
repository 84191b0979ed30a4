//! A note for people.

use std::fmt::Write as _;

use scribemed_proto::documentation::v2::{Note, Sentence};

/// The note as text: each section, each sentence with the place in the recording that it came from.
pub(crate) fn note(note: &Note) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "Note {} ({}, {})\npatient {}  encounter {}  provider {}\ntranscription {}  etag {}",
        note.id,
        short(note.note_type().as_str_name(), "NOTE_TYPE_"),
        short(note.state().as_str_name(), "NOTE_STATE_"),
        note.patient_id,
        note.encounter_id,
        note.provider_id,
        note.transcription_id,
        note.etag,
    );
    for section in &note.sections {
        let _ = writeln!(out, "\n{}", section.title);
        if section.documented {
            for sentence in &section.sentences {
                let _ = writeln!(out, "  {:<12} {}", place(sentence), sentence.text);
            }
        } else {
            out.push_str("  not documented\n");
        }
    }
    out
}

fn short(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase()
}

/// `[0:05-0:09]`, where the sentence stands in the recording.
fn place(sentence: &Sentence) -> String {
    let time = |duration: Option<&_>| {
        let seconds = duration.map_or(0, |d: &prost_types::Duration| d.seconds);
        format!("{}:{:02}", seconds / 60, seconds % 60)
    };
    match (sentence.sources.first(), sentence.sources.last()) {
        (Some(first), Some(last)) => format!(
            "[{}-{}]",
            time(first.start.as_ref()),
            time(last.end.as_ref())
        ),
        _ => String::new(),
    }
}
