//! A transcription service that follows a script.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::Stream;
use futures_util::stream::try_unfold;
use scribemed_proto::transcription::v2::transcription_service_server::TranscriptionService;
use scribemed_proto::transcription::v2::*;
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

/// What the service knows. Clones share it.
#[derive(Clone)]
pub(crate) struct Fake {
    script: Arc<watch::Sender<Script>>,
    /// The calls so far: the method and the request id in its metadata.
    calls: Arc<Mutex<Vec<(&'static str, String)>>>,
    watching: Arc<watch::Sender<usize>>,
}

#[derive(Clone, Default)]
struct Script {
    transcriptions: HashMap<String, Transcription>,
    /// Watches that began before this many breaks end with UNAVAILABLE.
    breaks: usize,
    /// What it says of transcriptions that there are not.
    words: String,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            script: Arc::new(watch::Sender::new(Script::default())),
            calls: Arc::default(),
            watching: Arc::new(watch::Sender::new(0)),
        }
    }

    /// A transcription of these segments, three seconds each.
    pub(crate) fn set(&self, id: Uuid, state: TranscriptionState, segments: &[&str]) {
        let at = |seconds: i64, nanos| Some(prost_types::Duration { seconds, nanos });
        let segments = segments.iter().zip(0..).map(|(text, index)| Segment {
            index,
            start: at(i64::from(index) * 3, 0),
            end: at(i64::from(index) * 3 + 2, 500_000_000),
            text: (*text).to_owned(),
            confidence: None,
        });
        let transcription = Transcription {
            id: id.to_string(),
            state: state.into(),
            segments: segments.collect(),
            ..Transcription::default()
        };
        self.script.send_modify(|script| {
            script.transcriptions.insert(id.to_string(), transcription);
        });
    }

    /// From now on these words are in its errors.
    pub(crate) fn say_on_failure(&self, words: &str) {
        self.script
            .send_modify(|script| words.clone_into(&mut script.words));
    }

    /// Ends all watches as a server does that shuts down.
    pub(crate) fn break_watches(&self) {
        self.script.send_modify(|script| script.breaks += 1);
    }

    /// Returns once this many watches have begun.
    pub(crate) async fn watched(&self, times: usize) {
        let mut watching = self.watching.subscribe();
        watching.wait_for(|count| *count >= times).await.unwrap();
    }

    /// The calls so far: the method and the request id in its metadata.
    pub(crate) fn calls(&self) -> Vec<(&'static str, String)> {
        self.calls.lock().unwrap().clone()
    }

    fn called<T>(&self, method: &'static str, request: &Request<T>) {
        let id = request.metadata().get("x-request-id").unwrap();
        let id = id.to_str().unwrap().to_owned();
        self.calls.lock().unwrap().push((method, id));
    }
}

impl Script {
    fn get(&self, id: &str) -> Result<Transcription, Status> {
        let found = self.transcriptions.get(id).cloned();
        found.ok_or_else(|| {
            Status::not_found(format!("there is no such transcription {}", self.words))
        })
    }
}

fn ended(transcription: &Transcription) -> bool {
    !matches!(
        transcription.state(),
        TranscriptionState::Queued | TranscriptionState::Running
    )
}

#[tonic::async_trait]
impl TranscriptionService for Fake {
    async fn get_transcription(
        &self,
        request: Request<GetTranscriptionRequest>,
    ) -> Result<Response<GetTranscriptionResponse>, Status> {
        self.called("get", &request);
        let found = self
            .script
            .borrow()
            .get(&request.get_ref().transcription_id)?;
        Ok(Response::new(GetTranscriptionResponse {
            transcription: Some(found),
        }))
    }

    type WatchTranscriptionStream =
        Pin<Box<dyn Stream<Item = Result<WatchTranscriptionResponse, Status>> + Send>>;

    async fn watch_transcription(
        &self,
        request: Request<WatchTranscriptionRequest>,
    ) -> Result<Response<Self::WatchTranscriptionStream>, Status> {
        self.called("watch", &request);
        let mut script = self.script.subscribe();
        script.mark_changed();
        let breaks = script.borrow().breaks;
        let id = request.into_inner().transcription_id;
        self.watching.send_modify(|count| *count += 1);
        let state = (script, false);
        let updates = try_unfold(state, move |(mut script, done)| {
            let id = id.clone();
            async move {
                if done || script.changed().await.is_err() {
                    return Ok(None);
                }
                let seen = script.borrow_and_update().clone();
                if seen.breaks > breaks {
                    return Err(Status::unavailable("the server is shutting down"));
                }
                let transcription = seen.get(&id)?;
                let done = ended(&transcription);
                let update = WatchTranscriptionResponse {
                    transcription: Some(transcription),
                };
                Ok(Some((update, (script, done))))
            }
        });
        Ok(Response::new(Box::pin(updates)))
    }

    async fn create_transcription(
        &self,
        _: Request<CreateTranscriptionRequest>,
    ) -> Result<Response<CreateTranscriptionResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn upload_transcription(
        &self,
        _: Request<Streaming<UploadTranscriptionRequest>>,
    ) -> Result<Response<UploadTranscriptionResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn list_transcriptions(
        &self,
        _: Request<ListTranscriptionsRequest>,
    ) -> Result<Response<ListTranscriptionsResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }

    async fn cancel_transcription(
        &self,
        _: Request<CancelTranscriptionRequest>,
    ) -> Result<Response<CancelTranscriptionResponse>, Status> {
        Err(Status::unimplemented("not in the script"))
    }
}
