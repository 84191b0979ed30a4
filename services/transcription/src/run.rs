//! The service, put together.

use std::num::NonZeroUsize;

use scribemed_jobs::Worker;
use scribemed_proto::DESCRIPTOR_SET;
use scribemed_proto::transcription::v1::transcription_service_server as v1_server;
use scribemed_proto::transcription::v2::transcription_service_server as v2_server;
use scribemed_resilience::backoff::Backoff;
use scribemed_server::Prompt;
use scribemed_service::{DataFolder, Platform, data};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::core::Core;
use crate::engine::LoadError;
use crate::health;
use crate::intake::Intake;
use crate::job::Listener;
use crate::model::Speech;
use crate::source::{self, Sources};
use crate::store::{OpenError, QUEUE, Store};
use crate::v1::V1;
use crate::v2::V2;

/// Why the service did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data folder.
    #[error(transparent)]
    Data(#[from] data::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The configuration of the speech engine.
    #[error(transparent)]
    Engine(#[from] LoadError),
    /// The configuration of what URIs reach.
    #[error(transparent)]
    Sources(#[from] source::ConfigError),
    /// The server.
    #[error(transparent)]
    Server(#[from] scribemed_server::Error),
}

/// Serves both versions on `listener` until the platform's shutdown, then drains: calls in flight are waited for, watches
/// end with UNAVAILABLE, and a transcription that is running starts again with the next process.
///
/// Without a speech model it serves all the same: reads are answered, nothing is accepted, what was accepted before waits,
/// and health says NOT_SERVING until there is a model.
///
/// # Errors
/// [`RunError`], before anything is served.
pub async fn run(
    config: Config,
    platform: Platform,
    listener: TcpListener,
) -> Result<(), RunError> {
    // To the end: two processes on one database would take each other's jobs for abandoned.
    let folder = DataFolder::take(&config.data, platform.name())?;
    let sources = Sources::new(config.sources)?;
    let store = Store::open(&folder.path().join("transcription.db")).await?;
    let speech = Speech::load(config.engine).await?;
    let intake = Intake::new(sources, config.limits);
    let core = Core::new(
        store.clone(),
        speech.clone(),
        intake.clone(),
        config.max_attempts,
        platform.shutdown().clone(),
    );
    let loaded = Prompt::default();
    let server = platform
        .server()
        .check(health::check_store(&store))
        .check(health::check_model(&speech, &loaded))
        .descriptor_set(DESCRIPTOR_SET)
        .add(v2_server::TranscriptionServiceServer::new(V2(core.clone())))
        .add(v1_server::TranscriptionServiceServer::new(V1(core)));

    let shutdown = platform.shutdown().clone();
    // The worker also stops when the server does not start.
    let stop = shutdown.child_token();
    let stopped = stop.clone();
    let work = work(
        Work {
            store: store.clone(),
            speech,
            intake,
            loaded,
            concurrency: config.concurrency,
            backoff: config.backoff,
        },
        stop,
    );
    let serve = async move {
        let outcome = server.serve(listener, shutdown).await;
        stopped.cancel();
        outcome
    };
    let (outcome, ()) = tokio::join!(serve, work);
    store.close().await;
    drop(folder);
    Ok(outcome?)
}

/// What the worker is made of.
struct Work {
    store: Store,
    speech: Speech,
    intake: Intake,
    /// Asks for a look at the model.
    loaded: Prompt,
    concurrency: NonZeroUsize,
    backoff: Backoff,
}

/// Waits for the speech model, then does the jobs until `stop`. Without a model no job is taken, so none uses up its
/// attempts.
async fn work(work: Work, stop: CancellationToken) {
    let Some(engine) = stop.run_until_cancelled(work.speech.ready()).await else {
        return;
    };
    work.loaded.now();
    let jobs = work.store.jobs().clone();
    let listener = Listener {
        store: work.store,
        intake: work.intake,
        engine,
    };
    Worker::new(jobs, QUEUE, listener)
        .concurrency(work.concurrency)
        .backoff(work.backoff)
        .run(stop)
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_can_be_a_task() {
        fn is_task<F: Future + Send + 'static>(_: fn(Config, Platform, TcpListener) -> F) {}
        is_task(run);
    }
}
