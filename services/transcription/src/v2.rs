//! `scribemed.transcription.v2`.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use scribemed_proto::transcription::v2::create_transcription_request::Source;
use scribemed_proto::transcription::v2::transcription_service_server::TranscriptionService;
use scribemed_proto::transcription::v2::{
    CancelTranscriptionRequest, CancelTranscriptionResponse, CreateTranscriptionRequest,
    CreateTranscriptionResponse, GetTranscriptionRequest, GetTranscriptionResponse,
    ListTranscriptionsRequest, ListTranscriptionsResponse, UploadTranscriptionRequest,
    UploadTranscriptionResponse, WatchTranscriptionRequest, WatchTranscriptionResponse,
};
use scribemed_rpc::{CallContext, RequestId};
use scribemed_server::principal;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use crate::audio;
use crate::convert::{filter, optional_uuid, uuid};
use crate::core::{Core, Submission};
use crate::error::Error;
use crate::intake::Content;
use crate::transcription::{Origin, Transcription};

/// The handler.
pub(crate) struct V2(pub(crate) Core);

impl V2 {
    async fn submit(
        &self,
        caller: String,
        request_id: Option<Uuid>,
        content: Content,
    ) -> Result<Transcription, Error> {
        let field = match content {
            Content::Audio(_) => "audio",
            Content::Uri(_) => "audio_uri",
        };
        let call =
            CallContext::current().map_or_else(RequestId::generate, |context| context.request_id());
        let submission = Submission {
            caller,
            request_id,
            content,
            field,
            origin: Origin::V2,
            call,
        };
        self.0.submit(submission).await
    }

    /// Receives a recording, up to the limit and no further.
    async fn receive(
        &self,
        mut parts: Streaming<UploadTranscriptionRequest>,
    ) -> Result<(Option<Uuid>, Bytes), Status> {
        let limit = self.0.max_bytes();
        let mut audio = BytesMut::new();
        let mut request_id = None;
        let mut first = true;
        while let Some(part) = parts.message().await? {
            if std::mem::take(&mut first) {
                request_id = optional_uuid("request_id", &part.request_id)?;
            } else if !part.request_id.is_empty() {
                return Err(Error::Field {
                    field: "request_id",
                    rule: "must be on the first message only",
                }
                .into());
            }
            let found = (audio.len() + part.audio.len()) as u64;
            if found > limit {
                let why = audio::Error::TooLarge { found, limit };
                return Err(Error::Audio {
                    field: "audio",
                    why,
                }
                .into());
            }
            audio.extend_from_slice(&part.audio);
        }
        Ok((request_id, audio.freeze()))
    }
}

type Watching = Pin<Box<dyn Stream<Item = Result<WatchTranscriptionResponse, Status>> + Send>>;

#[tonic::async_trait]
impl TranscriptionService for V2 {
    async fn create_transcription(
        &self,
        request: Request<CreateTranscriptionRequest>,
    ) -> Result<Response<CreateTranscriptionResponse>, Status> {
        let caller = principal(&request)?.service().to_owned();
        let message = request.into_inner();
        let request_id = optional_uuid("request_id", &message.request_id)?;
        let content = match message.source {
            Some(Source::Audio(audio)) => Content::Audio(audio),
            Some(Source::AudioUri(uri)) => Content::Uri(uri),
            None => {
                return Err(Error::Field {
                    field: "source",
                    rule: "must be audio or audio_uri",
                }
                .into());
            }
        };
        let transcription = self.submit(caller, request_id, content).await?;
        Ok(Response::new(CreateTranscriptionResponse {
            transcription: Some(transcription.into()),
        }))
    }

    async fn upload_transcription(
        &self,
        request: Request<Streaming<UploadTranscriptionRequest>>,
    ) -> Result<Response<UploadTranscriptionResponse>, Status> {
        let caller = principal(&request)?.service().to_owned();
        let (request_id, audio) = self.receive(request.into_inner()).await?;
        let content = Content::Audio(audio);
        let transcription = self.submit(caller, request_id, content).await?;
        Ok(Response::new(UploadTranscriptionResponse {
            transcription: Some(transcription.into()),
        }))
    }

    async fn get_transcription(
        &self,
        request: Request<GetTranscriptionRequest>,
    ) -> Result<Response<GetTranscriptionResponse>, Status> {
        let id = uuid("transcription_id", &request.get_ref().transcription_id)?;
        let transcription = self.0.get(id).await?;
        Ok(Response::new(GetTranscriptionResponse {
            transcription: Some(transcription.into()),
        }))
    }

    type WatchTranscriptionStream = Watching;

    async fn watch_transcription(
        &self,
        request: Request<WatchTranscriptionRequest>,
    ) -> Result<Response<Watching>, Status> {
        let id = uuid("transcription_id", &request.get_ref().transcription_id)?;
        let changes = self.0.watch(id).await?.map(|change| {
            Ok(WatchTranscriptionResponse {
                transcription: Some(change?.into()),
            })
        });
        Ok(Response::new(Box::pin(changes)))
    }

    async fn list_transcriptions(
        &self,
        request: Request<ListTranscriptionsRequest>,
    ) -> Result<Response<ListTranscriptionsResponse>, Status> {
        let request = request.into_inner();
        let state = filter(request.state());
        let (page, next) = self
            .0
            .list(state, request.page_size, &request.page_token)
            .await?;
        Ok(Response::new(ListTranscriptionsResponse {
            transcriptions: page.into_iter().map(Into::into).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn cancel_transcription(
        &self,
        request: Request<CancelTranscriptionRequest>,
    ) -> Result<Response<CancelTranscriptionResponse>, Status> {
        let id = uuid("transcription_id", &request.get_ref().transcription_id)?;
        let transcription = self.0.cancel(id).await?;
        Ok(Response::new(CancelTranscriptionResponse {
            transcription: Some(transcription.into()),
        }))
    }
}
