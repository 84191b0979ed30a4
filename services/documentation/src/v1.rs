//! Version 1 of the contract.

use scribemed_proto::documentation::v1::documentation_service_server::DocumentationService;
use scribemed_proto::documentation::v1::{
    CreateNoteRequest, CreateNoteResponse, GetNoteRequest, GetNoteResponse,
};
use tonic::{Request, Response, Status};

use crate::convert::{note_v1 as convert, timestamp, to_optional_uuid, to_uuid};
use crate::core::{Core, Subject};
use crate::error::Error;
use crate::note::v1::{Status as NoteStatus, View};

/// Serves version 1.
pub(crate) struct Documentation {
    core: Core,
}

impl Documentation {
    pub(crate) fn new(core: Core) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl DocumentationService for Documentation {
    async fn create_note(
        &self,
        request: Request<CreateNoteRequest>,
    ) -> Result<Response<CreateNoteResponse>, Status> {
        let request = request.into_inner();
        let subject = Subject {
            patient_id: to_uuid("patient_id", &request.patient_id)?,
            encounter_id: to_uuid("encounter_id", &request.encounter_id)?,
            provider_id: to_uuid("provider_id", &request.provider_id)?,
            note_type: convert::to_note_type(request.note_type)?,
        };
        let transcription_id = to_optional_uuid("transcription_id", &request.transcription_id)?;
        let content = convert::to_content(request.content.unwrap_or_default());
        let sections = content.into_sections(subject.note_type);
        let note = self
            .core
            .create_whole(subject, transcription_id, sections, None)
            .await?;
        Ok(Response::new(CreateNoteResponse {
            note_id: note.id().to_string(),
            status: convert::status(NoteStatus::Draft).into(),
            created_at: Some(timestamp(note.identity().created_at)),
        }))
    }

    async fn get_note(
        &self,
        request: Request<GetNoteRequest>,
    ) -> Result<Response<GetNoteResponse>, Status> {
        let id = to_uuid("note_id", &request.get_ref().note_id)?;
        let note = self.core.get(id).await?;
        let view = View::of(&note).map_err(|refused| Error::refused(&note, refused))?;
        Ok(Response::new(GetNoteResponse {
            note: Some(convert::note(&note, view)),
        }))
    }
}
