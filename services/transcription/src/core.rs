//! What both versions of the contract do.

use std::num::NonZeroU32;
use std::sync::Arc;

use futures_util::{Stream, stream};
use scribemed_rpc::RequestId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::changes::Subscription;
use crate::error::Error;
use crate::intake::{Content, Intake};
use crate::model::Speech;
use crate::store::{NewTranscription, Request, Store, page};
use crate::transcription::{Origin, State, Transcription};

/// A recording that somebody wants to have as text.
pub(crate) struct Submission {
    /// The calling service.
    pub(crate) caller: String,
    /// The id that makes a repeat return the first transcription.
    pub(crate) request_id: Option<Uuid>,
    /// The recording.
    pub(crate) content: Content,
    /// The field that it came by.
    pub(crate) field: &'static str,
    /// The version of the contract.
    pub(crate) origin: Origin,
    /// The request id of the call.
    pub(crate) call: RequestId,
}

/// The service behind its contracts. Clones share everything.
#[derive(Clone)]
pub(crate) struct Core {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    speech: Speech,
    intake: Intake,
    max_attempts: NonZeroU32,
    shutdown: CancellationToken,
}

impl Core {
    pub(crate) fn new(
        store: Store,
        speech: Speech,
        intake: Intake,
        max_attempts: NonZeroU32,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                speech,
                intake,
                max_attempts,
                shutdown,
            }),
        }
    }

    /// The largest recording, in bytes.
    pub(crate) fn max_bytes(&self) -> u64 {
        self.inner.intake.limits().max_encoded_bytes
    }

    /// Checks a recording and queues its transcription. When this returns, the recording is on disk.
    pub(crate) async fn submit(&self, submission: Submission) -> Result<Transcription, Error> {
        let Inner {
            store,
            speech,
            intake,
            ..
        } = &*self.inner;
        let request = match submission.request_id {
            None => None,
            Some(id) => {
                let request = Request {
                    caller: submission.caller,
                    id,
                    fingerprint: submission.content.fingerprint().await?,
                };
                // A repeat is answered also when the recording could not be accepted now.
                if let Some(first) = store.answered(&request).await? {
                    return Ok(first);
                }
                Some(request)
            }
        };
        speech.check()?;
        let accepted = intake.accept(submission.content, submission.field).await?;
        let new = NewTranscription {
            origin: submission.origin,
            recording: accepted.recording,
            audio_duration: accepted.duration,
            request,
            call: submission.call,
            max_attempts: self.inner.max_attempts,
        };
        store.create(new).await
    }

    /// The transcription as it is now.
    pub(crate) async fn get(&self, id: Uuid) -> Result<Transcription, Error> {
        self.inner.store.get(id).await
    }

    /// A page of transcriptions, newest first, and the token of the next.
    pub(crate) async fn list(
        &self,
        state: Option<State>,
        size: i32,
        token: &str,
    ) -> Result<(Vec<Transcription>, Option<String>), Error> {
        self.inner.store.list(state, page::size(size), token).await
    }

    /// Withdraws a transcription.
    pub(crate) async fn cancel(&self, id: Uuid) -> Result<Transcription, Error> {
        self.inner.store.cancel(id).await
    }

    /// The transcription as it is now, then again after each change, to its end.
    ///
    /// # Errors
    /// [`Error::NotFound`] at once; [`Error::ShuttingDown`] as the last item when the service shuts down first.
    pub(crate) async fn watch(
        &self,
        id: Uuid,
    ) -> Result<impl Stream<Item = Result<Transcription, Error>> + Send + use<>, Error> {
        // Before the first look, so that no change falls between the two.
        let changes = self.inner.store.changes().subscribe(id);
        let now = self.get(id).await?;
        let watch = Watch {
            core: self.clone(),
            id,
            changes,
            now: Some(now),
            told: None,
        };
        Ok(stream::unfold(Some(watch), async |watch| {
            watch?.next().await
        }))
    }
}

/// A transcription that is being watched.
struct Watch {
    core: Core,
    id: Uuid,
    changes: Subscription,
    /// What was read and not yet told.
    now: Option<Transcription>,
    /// What was told last.
    told: Option<Transcription>,
}

impl Watch {
    /// What is told next, and the watch unless that was the end.
    async fn next(mut self) -> Option<(Result<Transcription, Error>, Option<Self>)> {
        loop {
            let now = match self.now.take() {
                Some(now) => now,
                None => match self.changed().await {
                    Ok(now) => now,
                    Err(error) => return Some((Err(error), None)),
                },
            };
            if self.told.as_ref() == Some(&now) {
                continue;
            }
            let ended = now.state.is_final();
            self.told = (!ended).then(|| now.clone());
            return Some((Ok(now), (!ended).then_some(self)));
        }
    }

    async fn changed(&mut self) -> Result<Transcription, Error> {
        tokio::select! {
            biased;
            () = self.changes.changed() => self.core.get(self.id).await,
            () = self.core.inner.shutdown.cancelled() => Err(Error::ShuttingDown),
        }
    }
}
