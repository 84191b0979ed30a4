//! What the drafter reads: a finished transcription, as far as this service needs it.

use uuid::Uuid;

use crate::phi::Phi;

/// The text of one recording, in the order in which it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The transcription's id.
    pub id: Uuid,
    /// The segments, in order of time.
    pub segments: Vec<Segment>,
}

/// A stretch of speech that the recogniser put out in one piece. It may hold part of a sentence, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The segment's place in the transcription; what a note's sentence refers to.
    pub index: u32,
    /// Where it starts, in milliseconds from the start of the recording.
    pub start_ms: u64,
    /// Where it ends, in milliseconds from the start of the recording.
    pub end_ms: u64,
    /// What was said. May be empty.
    pub text: Phi,
}
