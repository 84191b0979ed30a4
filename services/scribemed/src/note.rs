//! `scribemed note`: from a recording to a note.

mod print;
mod progress;
mod steps;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bytes::Bytes;
use clap::ValueEnum;
use scribemed_proto::documentation::v2::documentation_service_client::DocumentationServiceClient;
use scribemed_proto::documentation::v2::{GenerateNoteRequest, NoteType};
use scribemed_proto::transcription::v2::transcription_service_client::TranscriptionServiceClient;
use scribemed_rpc::{CallContext, RequestId};
use uuid::Uuid;

use self::progress::Progress;
use crate::data::{Data, DataArgs};
use crate::{json, operator};

/// The recording, and whom the note is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// The recording: WAV, FLAC, MP3, Ogg Vorbis, AAC in MP4 or AIFF, at most 25 MiB.
    file: PathBuf,
    /// Whom the note is about.
    #[arg(long, value_name = "UUID")]
    patient: Uuid,
    /// The visit.
    #[arg(long, value_name = "UUID")]
    encounter: Uuid,
    /// Who is responsible for the note.
    #[arg(long, value_name = "UUID")]
    provider: Uuid,
    /// The kind of note.
    #[arg(long = "type", value_enum, default_value = "soap")]
    note_type: Kind,
    /// Prints one JSON object with the note and the transcription.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Soap,
    Progress,
    Discharge,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = args.file.display();
    let audio = tokio::fs::read(&args.file)
        .await
        .with_context(|| format!("the recording {file} cannot be read"))?;
    let platform = operator::platform(&Data::new(&args.data)?).await?;
    // One id for everything that becomes of this recording: it finds the lines of every service that took part.
    let request_id = RequestId::generate();
    let progress = Progress::new(request_id);
    let work = steps::Steps {
        transcriptions: platform.client::<TranscriptionServiceClient<_>>().await?,
        notes: platform.client::<DocumentationServiceClient<_>>().await?,
        progress: &progress,
    };
    let request = |transcription_id: String| GenerateNoteRequest {
        transcription_id,
        patient_id: args.patient.to_string(),
        encounter_id: args.encounter.to_string(),
        provider_id: args.provider.to_string(),
        note_type: match args.note_type {
            Kind::Soap => NoteType::Soap,
            Kind::Progress => NoteType::Progress,
            Kind::Discharge => NoteType::Discharge,
        }
        .into(),
        request_id: request_id.to_string(),
    };
    let context = CallContext::resumed(request_id);
    let (transcription, note) = context
        .scope(async {
            let accepted = work.upload(Bytes::from(audio), request_id).await?;
            let transcription = work.listen(&accepted.id).await?;
            let note = work.write(request(transcription.id.clone())).await?;
            anyhow::Ok((transcription, note))
        })
        .await
        .with_context(|| format!("no note was made of {file} (request id {request_id})"))?;
    progress.finish();
    if args.json {
        let object = serde_json::json!({
            "note": json::of(&note)?,
            "transcription": json::of(&transcription)?,
        });
        println!("{object}");
    } else {
        print!("{}", print::note(&note));
    }
    Ok(ExitCode::SUCCESS)
}
