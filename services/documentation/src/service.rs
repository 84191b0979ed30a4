//! Putting the service together.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use scribemed_jobs::{Store, SystemClock, Worker};
use scribemed_proto::documentation::{v1, v2};
use scribemed_proto::transcription::v2::transcription_service_client::TranscriptionServiceClient;
use scribemed_resilience::backoff::{Backoff, Invalid};
use scribemed_service::{Channel, DataFolder, Env, Platform, data, env};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::core::{Changes, Core};
use crate::job::{self, Drafter, Transcriptions};
use crate::{health, store};

/// Notes that are generated at a time. Nearly all of that time is spent waiting for a transcription, which costs a stream
/// and a lease, and a note whose transcription is done must not wait behind those that are not.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

/// What the service is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder of its database, made if it is missing. It belongs to one process at a time.
    pub data: PathBuf,
}

impl Config {
    /// Reads `SCRIBEMED_DATA`, the data folder.
    ///
    /// # Errors
    ///
    /// [`env::Error::Unset`] names the variable and shows a good value.
    pub fn from_env(env: &Env) -> Result<Self, env::Error> {
        let data = env.require("SCRIBEMED_DATA", "/var/lib/scribemed")?.into();
        Ok(Self { data })
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is incomplete.
    #[error(transparent)]
    Config(#[from] env::Error),
    /// The data folder cannot be used, or another process has it.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// It is not known where the transcription service is, or its name was never resolved.
    #[error(transparent)]
    Platform(#[from] scribemed_service::Error),
    /// The backoff of the jobs is not valid.
    #[error("the backoff of the jobs is not valid")]
    Backoff(#[from] Invalid),
    /// The server did not start.
    #[error(transparent)]
    Server(#[from] scribemed_server::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Serves both versions of the contract on `listener` and drafts the notes that were accepted, also before an earlier end
/// of the process, until the platform shuts down.
///
/// # Errors
///
/// Nothing was served. [`Error::Data`] when another process has the data folder.
///
/// # Cancel safety
///
/// Dropping the future stops serving at once; accepted notes are drafted after the next start.
pub async fn run(config: Config, platform: Platform, listener: TcpListener) -> Result<(), Error> {
    let folder = DataFolder::take(&config.data, platform.name())?;
    let client = platform
        .client::<TranscriptionServiceClient<Channel>>()
        .await?;
    let pool = store::open(&folder.path().join("documentation.db")).await?;
    let jobs = Store::new(pool.clone(), SystemClock);
    // The folder is ours, so whoever held them is gone.
    jobs.expire_leases(job::QUEUE).await?;

    // The platform's shutdown, or the end of the server.
    let stop = platform.shutdown().child_token();
    let changes = Changes::new();
    let drafter = Drafter {
        store: jobs.clone(),
        transcriptions: Transcriptions::new(client),
        changes: changes.clone(),
    };
    let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 2.0, 0.2)?;
    let worker = Worker::new(jobs.clone(), job::QUEUE, drafter)
        .concurrency(CONCURRENCY)
        .backoff(backoff);
    let core = Core::new(jobs.clone(), changes, stop.clone());
    let server = platform
        .server()
        .check(health::check(&jobs))
        .descriptor_set(scribemed_proto::DESCRIPTOR_SET)
        .add(
            v1::documentation_service_server::DocumentationServiceServer::new(
                crate::v1::Documentation::new(core.clone()),
            ),
        )
        .add(
            v2::documentation_service_server::DocumentationServiceServer::new(
                crate::v2::Documentation::new(core),
            ),
        );
    let (ended, ()) = tokio::join!(
        serve(server, listener, stop.clone()),
        worker.run(stop.clone())
    );
    pool.close().await;
    Ok(ended?)
}

/// Serves, and stops everything else when it cannot.
async fn serve(
    server: scribemed_server::Builder,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), scribemed_server::Error> {
    let ended = server.serve(listener, stop.clone()).await;
    stop.cancel();
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_folder_has_to_be_named() {
        let error = Config::from_env(&Env::default()).map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err(
                "SCRIBEMED_DATA is not set; a good value is SCRIBEMED_DATA=/var/lib/scribemed"
                    .to_owned()
            )
        );
    }
}
