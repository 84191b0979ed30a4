//! The steps from a recording to a note. Each can be repeated: the services know the request by its id.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use scribemed_proto::documentation::v2::documentation_service_client::DocumentationServiceClient;
use scribemed_proto::documentation::v2::{GenerateNoteRequest, Note, NoteState, WatchNoteRequest};
use scribemed_proto::transcription::v2::transcription_service_client::TranscriptionServiceClient;
use scribemed_proto::transcription::v2::{
    Transcription, TranscriptionState, UploadTranscriptionRequest, WatchTranscriptionRequest,
};
use scribemed_resilience::backoff::Backoff;
use scribemed_rpc::RequestId;
use scribemed_service::Channel;
use tonic::{Code, Status};

use super::progress::Progress;

/// How much of the recording goes into one message.
const PART: usize = 64 * 1024;
/// How often a recording is offered to a service that cannot be reached: about ten seconds, with the waits between.
const TRIES_TO_BEGIN: u32 = 8;
/// How often what was accepted is asked after while the service cannot be reached: about a minute and a half.
const TRIES_TO_FINISH: u32 = 24;

pub(crate) struct Steps<'a> {
    pub(crate) transcriptions: TranscriptionServiceClient<Channel>,
    pub(crate) notes: DocumentationServiceClient<Channel>,
    pub(crate) progress: &'a Progress,
}

impl Steps<'_> {
    /// Sends the recording. When this returns, it is on the service's disk.
    pub(crate) async fn upload(
        &self,
        audio: Bytes,
        request_id: RequestId,
    ) -> anyhow::Result<Transcription> {
        self.progress.step("uploading");
        let parts: Vec<UploadTranscriptionRequest> = std::iter::once(Bytes::new())
            .chain(
                (0..audio.len())
                    .step_by(PART)
                    .map(|at| audio.slice(at..audio.len().min(at + PART))),
            )
            .enumerate()
            .map(|(i, audio)| UploadTranscriptionRequest {
                request_id: if i == 0 {
                    request_id.to_string()
                } else {
                    String::new()
                },
                audio,
            })
            .collect();
        let count = parts.len();
        self.repeat(TRIES_TO_BEGIN, || {
            let mut client = self.transcriptions.clone();
            let bar = self.progress.bar();
            let parts = parts.clone().into_iter().enumerate().map(move |(i, part)| {
                bar.set_position((i + 1) as u64 * 1000 / count as u64);
                part
            });
            async move {
                let response = client
                    .upload_transcription(tokio_stream::iter(parts))
                    .await?;
                response.into_inner().transcription.ok_or_else(incomplete)
            }
        })
        .await
        .context("the recording was not accepted")
    }

    /// Waits until the recording has been heard.
    pub(crate) async fn listen(&self, id: &str) -> anyhow::Result<Transcription> {
        self.progress.step("transcribing");
        let heard = self
            .repeat(TRIES_TO_FINISH, || {
                let mut client = self.transcriptions.clone();
                async move {
                    let request = WatchTranscriptionRequest {
                        transcription_id: id.to_owned(),
                    };
                    let mut changes = client.watch_transcription(request).await?.into_inner();
                    let mut last = None;
                    while let Some(change) = changes.message().await? {
                        let transcription = change.transcription.ok_or_else(incomplete)?;
                        self.progress.at(f64::from(transcription.progress));
                        last = Some(transcription);
                    }
                    last.filter(|t| is_final(t.state())).ok_or_else(cut_off)
                }
            })
            .await
            .context("the transcription cannot be followed")?;
        match heard.state() {
            TranscriptionState::Succeeded => Ok(heard),
            TranscriptionState::Cancelled => bail!("the transcription {id} was cancelled"),
            TranscriptionState::Failed
            | TranscriptionState::Queued
            | TranscriptionState::Running
            | TranscriptionState::Unspecified => {
                let failure = heard.failure.unwrap_or_default();
                bail!(
                    "the transcription {id} failed: {} ({:?})",
                    failure.message,
                    failure.reason()
                )
            }
        }
    }

    /// Asks for the note and waits until it is there.
    pub(crate) async fn write(&self, request: GenerateNoteRequest) -> anyhow::Result<Note> {
        self.progress.step("writing");
        let asked = self
            .repeat(TRIES_TO_FINISH, || {
                let mut client = self.notes.clone();
                let request = request.clone();
                async move {
                    client
                        .generate_note(request)
                        .await?
                        .into_inner()
                        .note
                        .ok_or_else(incomplete)
                }
            })
            .await
            .context("the note was not accepted")?;
        let id = asked.id.as_str();
        let note = self
            .repeat(TRIES_TO_FINISH, || {
                let mut client = self.notes.clone();
                async move {
                    let request = WatchNoteRequest {
                        note_id: id.to_owned(),
                    };
                    let mut changes = client.watch_note(request).await?.into_inner();
                    let mut last = None;
                    while let Some(change) = changes.message().await? {
                        last = Some(change.note.ok_or_else(incomplete)?);
                    }
                    last.filter(|note| note.state() != NoteState::Generating)
                        .ok_or_else(cut_off)
                }
            })
            .await
            .context("the note cannot be followed")?;
        self.progress.at(1.0);
        if note.state() == NoteState::Failed {
            let failure = note.failure.unwrap_or_default();
            bail!(
                "the note {} failed: {} ({:?})",
                note.id,
                failure.message,
                failure.reason()
            );
        }
        Ok(note)
    }

    /// Does `step` until it succeeds or fails for good. A service that restarts is waited for.
    async fn repeat<T, F>(&self, patience: u32, mut step: impl FnMut() -> F) -> Result<T, Status>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let backoff = Backoff::DEFAULT;
        let mut tries = 0;
        let mut said = String::new();
        loop {
            let status = match step().await {
                Ok(done) => return Ok(done),
                Err(status) => status,
            };
            // A watch that reached its deadline is watched again for as long as it takes.
            let unreachable = status.code() == Code::Unavailable;
            tries += u32::from(unreachable);
            let again =
                status.code() == Code::DeadlineExceeded || (unreachable && tries < patience);
            if !again {
                return Err(status);
            }
            let wait = backoff.delay(tries.max(1), &mut rand::rng());
            // The same again is no news.
            let news = format!("{}; trying again", status.message());
            if news != said {
                self.progress.say(&news);
                said = news;
            }
            tokio::time::sleep(wait.max(Duration::from_millis(50))).await;
        }
    }
}

fn is_final(state: TranscriptionState) -> bool {
    match state {
        TranscriptionState::Succeeded
        | TranscriptionState::Failed
        | TranscriptionState::Cancelled => true,
        TranscriptionState::Queued
        | TranscriptionState::Running
        | TranscriptionState::Unspecified => false,
    }
}

fn incomplete() -> Status {
    Status::internal("the answer lacks what the contract promises")
}

/// A stream that ended before its last message: the server went away.
fn cut_off() -> Status {
    Status::unavailable("the service ended the stream early")
}
