//! Version 2 of the contract.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use prost::Message;
use scribemed_proto::documentation::v2::documentation_service_server::DocumentationService;
use scribemed_proto::documentation::v2::{
    CreateNoteRequest, CreateNoteResponse, GenerateNoteRequest, GenerateNoteResponse,
    GetNoteRequest, GetNoteResponse, ListNotesRequest, ListNotesResponse, SignNoteRequest,
    SignNoteResponse, UpdateNoteRequest, UpdateNoteResponse, WatchNoteRequest, WatchNoteResponse,
};
use scribemed_server::principal;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::convert::{self, to_note_type, to_optional_uuid, to_sections, to_state, to_uuid};
use crate::core::{Core, Repeatable, Subject};
use crate::note::Etag;
use crate::store::notes::Filter;
use crate::store::page::PageToken;
use crate::store::requests::{Fingerprint, RequestKey};

/// Serves version 2.
pub(crate) struct Documentation {
    core: Core,
}

impl Documentation {
    pub(crate) fn new(core: Core) -> Self {
        Self { core }
    }
}

/// `request` as something that may be repeated, if the caller has given it an id.
fn repeatable<'a, T: Message>(
    caller: &'a str,
    method: &'a str,
    request_id: Option<Uuid>,
    bare: &T,
) -> Option<Repeatable<'a>> {
    request_id.map(|request_id| Repeatable {
        key: RequestKey {
            caller,
            method,
            request_id,
        },
        fingerprint: Fingerprint::of(&bare.encode_to_vec()),
    })
}

/// Takes the id out of a request, which leaves what the request asks for.
fn take_id(request_id: &mut String) -> Result<Option<Uuid>, Status> {
    to_optional_uuid("request_id", &std::mem::take(request_id))
}

#[tonic::async_trait]
impl DocumentationService for Documentation {
    async fn generate_note(
        &self,
        request: Request<GenerateNoteRequest>,
    ) -> Result<Response<GenerateNoteResponse>, Status> {
        let caller = principal(&request)?.clone();
        let mut request = request.into_inner();
        let id = take_id(&mut request.request_id)?;
        let subject = Subject {
            patient_id: to_uuid("patient_id", &request.patient_id)?,
            encounter_id: to_uuid("encounter_id", &request.encounter_id)?,
            provider_id: to_uuid("provider_id", &request.provider_id)?,
            note_type: to_note_type(request.note_type)?,
        };
        let transcription_id = to_uuid("transcription_id", &request.transcription_id)?;
        let repeatable = repeatable(caller.service(), "v2.GenerateNote", id, &request);
        let note = self
            .core
            .generate(subject, transcription_id, repeatable)
            .await?;
        Ok(Response::new(GenerateNoteResponse {
            note: Some(convert::note(&note)),
        }))
    }

    async fn create_note(
        &self,
        request: Request<CreateNoteRequest>,
    ) -> Result<Response<CreateNoteResponse>, Status> {
        let caller = principal(&request)?.clone();
        let mut request = request.into_inner();
        let id = take_id(&mut request.request_id)?;
        let subject = Subject {
            patient_id: to_uuid("patient_id", &request.patient_id)?,
            encounter_id: to_uuid("encounter_id", &request.encounter_id)?,
            provider_id: to_uuid("provider_id", &request.provider_id)?,
            note_type: to_note_type(request.note_type)?,
        };
        let transcription_id = to_optional_uuid("transcription_id", &request.transcription_id)?;
        let repeatable = repeatable(caller.service(), "v2.CreateNote", id, &request);
        let sections = to_sections(request.sections)?;
        let note = self
            .core
            .create(subject, transcription_id, sections, repeatable)
            .await?;
        Ok(Response::new(CreateNoteResponse {
            note: Some(convert::note(&note)),
        }))
    }

    async fn get_note(
        &self,
        request: Request<GetNoteRequest>,
    ) -> Result<Response<GetNoteResponse>, Status> {
        let id = to_uuid("note_id", &request.get_ref().note_id)?;
        let note = self.core.get(id).await?;
        Ok(Response::new(GetNoteResponse {
            note: Some(convert::note(&note)),
        }))
    }

    async fn list_notes(
        &self,
        request: Request<ListNotesRequest>,
    ) -> Result<Response<ListNotesResponse>, Status> {
        let request = request.into_inner();
        let filter = Filter {
            patient_id: to_optional_uuid("patient_id", &request.patient_id)?,
            encounter_id: to_optional_uuid("encounter_id", &request.encounter_id)?,
            state: to_state(request.state)?,
        };
        let size = u32::try_from(request.page_size).map_err(|_| {
            convert::invalid(
                "page_size",
                "int32.gte",
                "must be greater than or equal to 0",
            )
        })?;
        let token = Some(request.page_token)
            .filter(|token| !token.is_empty())
            .map(PageToken::from_wire);
        let page = self.core.list(&filter, size, token.as_ref()).await?;
        Ok(Response::new(ListNotesResponse {
            notes: page.notes.iter().map(convert::summary).collect(),
            next_page_token: page
                .next
                .map_or_else(String::new, |token| token.as_str().to_owned()),
        }))
    }

    async fn update_note(
        &self,
        request: Request<UpdateNoteRequest>,
    ) -> Result<Response<UpdateNoteResponse>, Status> {
        let caller = principal(&request)?.clone();
        let mut request = request.into_inner();
        let id = take_id(&mut request.request_id)?;
        let note_id = to_uuid("note_id", &request.note_id)?;
        let repeatable = repeatable(caller.service(), "v2.UpdateNote", id, &request);
        let etag = Etag::from_wire(request.etag);
        let sections = to_sections(request.sections)?;
        let note = self
            .core
            .update(note_id, &etag, sections, repeatable)
            .await?;
        Ok(Response::new(UpdateNoteResponse {
            note: Some(convert::note(&note)),
        }))
    }

    async fn sign_note(
        &self,
        request: Request<SignNoteRequest>,
    ) -> Result<Response<SignNoteResponse>, Status> {
        let caller = principal(&request)?.clone();
        let request = request.into_inner();
        let id = to_uuid("note_id", &request.note_id)?;
        let etag = Etag::from_wire(request.etag);
        let note = self.core.sign(id, &etag, caller.service()).await?;
        Ok(Response::new(SignNoteResponse {
            note: Some(convert::note(&note)),
        }))
    }

    type WatchNoteStream =
        Pin<Box<dyn Stream<Item = Result<WatchNoteResponse, Status>> + Send + 'static>>;

    async fn watch_note(
        &self,
        request: Request<WatchNoteRequest>,
    ) -> Result<Response<Self::WatchNoteStream>, Status> {
        let id = to_uuid("note_id", &request.get_ref().note_id)?;
        let notes = self.core.watch(id).await?;
        let responses = notes.map(|note| {
            Ok(WatchNoteResponse {
                note: Some(convert::note(&note?)),
            })
        });
        Ok(Response::new(Box::pin(responses)))
    }
}
