//! `scribemed calls`: whether a service answers all the time, while it is scaled, restarted or killed.

mod tally;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use scribemed_proto::auth::v1::GetKeySetRequest;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_proto::documentation::v2::ListNotesRequest;
use scribemed_proto::documentation::v2::documentation_service_client::DocumentationServiceClient;
use scribemed_proto::transcription::v2::ListTranscriptionsRequest;
use scribemed_proto::transcription::v2::transcription_service_client::TranscriptionServiceClient;
use scribemed_service::{Channel, Platform, cancel_on_signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use self::tally::Tally;
use crate::data::{Data, DataArgs};
use crate::operator;

/// More calls than this are not waited for at a time; those that are due wait until there is room.
const IN_FLIGHT: usize = 512;

/// Which call, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// The service: auth is asked for its key set, the others for a list of one.
    #[arg(long, value_enum, value_name = "NAME")]
    service: Service,
    /// For how long; SIGTERM and Ctrl-C end it earlier.
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How many calls are begun in a second, whether those before have ended or not.
    #[arg(long, default_value_t = 50, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    per_second: u32,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Service {
    Auth,
    Transcription,
    Documentation,
}

/// Prints one JSON object; exit code 1 if a call failed, or none was made.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let platform = operator::platform(&Data::new(&args.data)?).await?;
    let callee = Callee::new(args.service, &platform).await?;
    let stop = CancellationToken::new();
    cancel_on_signal(stop.clone())?;
    let tally = repeat(&args, &callee, &stop).await?;
    println!("{}", tally.json());
    if tally.calls() == 0 {
        bail!("it was stopped before the first call");
    }
    Ok(if tally.failed() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn repeat(args: &Args, callee: &Callee, stop: &CancellationToken) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut running = JoinSet::new();
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / args.per_second);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = tokio::time::sleep_until(end) => break,
            Some(ended) = running.join_next() => tally.add(ended?),
            _ = ticks.tick(), if running.len() < IN_FLIGHT => {
                let callee = callee.clone();
                running.spawn(async move {
                    let begun = Instant::now();
                    (callee.call().await, begun.elapsed())
                });
            }
        }
    }
    // What was begun ends by its deadline.
    while let Some(ended) = running.join_next().await {
        tally.add(ended?);
    }
    Ok(tally)
}

/// A client, and the call that changes nothing. It is idempotent by contract, so the channel may send it again.
#[derive(Clone)]
enum Callee {
    Auth(AuthServiceClient<Channel>),
    Transcription(TranscriptionServiceClient<Channel>),
    Documentation(DocumentationServiceClient<Channel>),
}

impl Callee {
    async fn new(service: Service, platform: &Platform) -> anyhow::Result<Self> {
        Ok(match service {
            Service::Auth => Self::Auth(platform.client().await?),
            Service::Transcription => Self::Transcription(platform.client().await?),
            Service::Documentation => Self::Documentation(platform.client().await?),
        })
    }

    async fn call(self) -> Result<(), Status> {
        match self {
            Self::Auth(mut client) => client.get_key_set(GetKeySetRequest {}).await.map(drop),
            Self::Transcription(mut client) => {
                let request = ListTranscriptionsRequest {
                    page_size: 1,
                    ..Default::default()
                };
                client.list_transcriptions(request).await.map(drop)
            }
            Self::Documentation(mut client) => {
                let request = ListNotesRequest {
                    page_size: 1,
                    ..Default::default()
                };
                client.list_notes(request).await.map(drop)
            }
        }
    }
}
