//! Waiting for a transcription.

use std::time::Duration;

use scribemed_jobs::Failure;
use scribemed_proto::transcription::v2::transcription_service_client::TranscriptionServiceClient;
use scribemed_proto::transcription::v2::{GetTranscriptionRequest, WatchTranscriptionRequest};
use scribemed_service::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use super::because;
use crate::convert::transcription::{Malformed, Standing, standing};
use crate::note::FailureReason;
use crate::transcript::Transcript;

/// After a watch that ended before the transcription did, before it is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// The transcription service.
pub(crate) struct Transcriptions {
    client: TranscriptionServiceClient<Channel>,
}

impl Transcriptions {
    pub(crate) fn new(client: TranscriptionServiceClient<Channel>) -> Self {
        Self { client }
    }

    /// The transcript, as soon as the transcription has succeeded.
    ///
    /// # Errors
    ///
    /// What is to become of the job when there is no transcript: it dies with the transcription, and tries again when
    /// the service cannot be used. A watch that breaks off puts it off without counting the attempt: that the
    /// transcription is alive was just seen.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed.
    pub(crate) async fn finished(&self, id: Uuid) -> Result<Transcript, Failure> {
        let request = GetTranscriptionRequest {
            transcription_id: id.to_string(),
        };
        let mut client = self.client.clone();
        let response = client
            .get_transcription(request)
            .await
            .map_err(|status| refused(&status))?;
        let seen = standing(id, response.into_inner().transcription).map_err(malformed)?;
        match verdict(seen) {
            Some(verdict) => verdict,
            None => self.watch(id).await,
        }
    }

    async fn watch(&self, id: Uuid) -> Result<Transcript, Failure> {
        let request = WatchTranscriptionRequest {
            transcription_id: id.to_string(),
        };
        tracing::debug!(transcription_id = %id, "waits for the transcription");
        let mut client = self.client.clone();
        let mut updates = client
            .watch_transcription(request)
            .await
            .map_err(|status| broken_off(&status))?
            .into_inner();
        while let Some(update) = updates
            .message()
            .await
            .map_err(|status| broken_off(&status))?
        {
            let seen = standing(id, update.transcription).map_err(malformed)?;
            if let Some(verdict) = verdict(seen) {
                return verdict;
            }
        }
        let reason = "the watch ended before the transcription".to_owned();
        Err(Failure::Snooze(PAUSE, reason))
    }
}

/// What a transcription's standing means for the note; `None`: it is still pending.
fn verdict(seen: Standing) -> Option<Result<Transcript, Failure>> {
    let dead = |reason: FailureReason| Err(Failure::Dead(because(reason, reason.message())));
    match seen {
        Standing::Pending => None,
        Standing::Succeeded(transcript) => Some(Ok(transcript)),
        Standing::Failed => Some(dead(FailureReason::TranscriptionFailed)),
        Standing::Cancelled => Some(dead(FailureReason::TranscriptionCancelled)),
    }
}

/// The service did not answer, or not with a transcription.
fn refused(status: &Status) -> Failure {
    if status.code() == Code::NotFound {
        let reason = FailureReason::TranscriptionNotFound;
        return Failure::Dead(because(reason, reason.message()));
    }
    let detail = format!("{:?}: {}", status.code(), status.message());
    Failure::Retry(because(FailureReason::TranscriptionUnavailable, &detail))
}

/// The watch ended with an error.
fn broken_off(status: &Status) -> Failure {
    match status.code() {
        // The watch's time is up, the service is restarting, or the connection is gone.
        Code::DeadlineExceeded | Code::Unavailable | Code::Cancelled | Code::Unknown => {
            let reason = format!(
                "the watch broke off: {:?}: {}",
                status.code(),
                status.message()
            );
            Failure::Snooze(PAUSE, reason)
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss
        | Code::Unauthenticated => refused(status),
    }
}

/// The service answered with what its contract does not allow. Another version of it may do better.
fn malformed(error: Malformed) -> Failure {
    let reason = FailureReason::TranscriptionUnavailable;
    Failure::Retry(because(reason, &error.to_string()))
}

#[cfg(test)]
mod tests;
