//! `scribemed.transcription.v1`, over the same core as version 2.

use scribemed_proto::transcription::v1::transcription_service_server::TranscriptionService;
use scribemed_proto::transcription::v1::{
    CreateTranscriptionRequest, CreateTranscriptionResponse, GetTranscriptionRequest,
    GetTranscriptionResponse, GetTranscriptionStatusRequest, GetTranscriptionStatusResponse,
};
use scribemed_rpc::{CallContext, RequestId};
use scribemed_server::principal;
use tonic::{Request, Response, Status};

use crate::convert::uuid;
use crate::core::{Core, Submission};
use crate::error::Error;
use crate::intake::Content;
use crate::transcription::{Origin, State};

/// The handler.
pub(crate) struct V1(pub(crate) Core);

#[tonic::async_trait]
impl TranscriptionService for V1 {
    async fn create_transcription(
        &self,
        request: Request<CreateTranscriptionRequest>,
    ) -> Result<Response<CreateTranscriptionResponse>, Status> {
        let submission = Submission {
            caller: principal(&request)?.service().to_owned(),
            request_id: None,
            content: Content::Uri(request.into_inner().audio_url),
            field: "audio_url",
            origin: Origin::V1,
            call: CallContext::current()
                .map_or_else(RequestId::generate, |context| context.request_id()),
        };
        let job_id = self.0.submit(submission).await?.id.to_string();
        Ok(Response::new(CreateTranscriptionResponse { job_id }))
    }

    async fn get_transcription(
        &self,
        request: Request<GetTranscriptionRequest>,
    ) -> Result<Response<GetTranscriptionResponse>, Status> {
        let id = uuid("id", &request.get_ref().id)?;
        let transcription = self.0.get(id).await?;
        match transcription.state {
            State::Succeeded => Ok(Response::new(transcription.into())),
            state @ (State::Queued | State::Running | State::Failed | State::Cancelled) => {
                Err(Error::NotFinished { id, state }.into())
            }
        }
    }

    async fn get_transcription_status(
        &self,
        request: Request<GetTranscriptionStatusRequest>,
    ) -> Result<Response<GetTranscriptionStatusResponse>, Status> {
        let id = uuid("job_id", &request.get_ref().job_id)?;
        Ok(Response::new(self.0.get(id).await?.into()))
    }
}
