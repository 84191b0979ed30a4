//! `scribemed versions`: which methods go away, who still calls them, and how long is left.

mod counts;
mod show;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use scribemed_rpc::policy::Lifecycle;
use time::OffsetDateTime;

use self::counts::Counts;
use crate::operator::SERVICES;
use crate::services::ALL;

/// An admin port that does not answer for so long is not there.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the metrics of a replica are; once for each, of all services [default: this machine's admin ports].
    #[arg(long = "metrics", value_name = "URL")]
    metrics: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A method that goes away.
#[derive(Debug)]
struct Fading {
    /// `scribemed.transcription.v1.TranscriptionService/GetTranscription`
    method: &'static str,
    lifecycle: Lifecycle,
}

impl Fading {
    /// Whole days until the sunset; negative once it is past.
    fn days_left(&self, now: OffsetDateTime) -> i64 {
        (self.lifecycle.sunset_unix - now.unix_timestamp()).div_euclid(86_400)
    }
}

/// Exit code 1 when a replica could not be asked: what is shown is not all then.
pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let urls = if args.metrics.is_empty() {
        let admin = |(_, port): (&str, u16)| format!("http://127.0.0.1:{}/metrics", port + 1_000);
        SERVICES.into_iter().map(admin).collect()
    } else {
        args.metrics
    };
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .build()
        .context("the HTTP client cannot be made")?;
    let mut counts = Counts::default();
    let mut silent = Vec::new();
    for url in urls {
        match fetch(&client, &url).await {
            Ok(text) => counts.add(&url, &text),
            Err(error) => silent.push((url, format!("{error:#}"))),
        }
    }
    let now = OffsetDateTime::now_utc();
    let fading = fading();
    if args.json {
        println!("{}", show::json(&fading, &counts, &silent, now));
    } else {
        print!("{}", show::text(&fading, &counts, now));
    }
    for (url, error) in &silent {
        eprintln!("{url} could not be asked: {error}");
    }
    Ok(if silent.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// All of the contracts' methods that go away, the first to go first.
fn fading() -> Vec<Fading> {
    let mut fading: Vec<Fading> = ALL
        .iter()
        .flat_map(|service| service.contracts)
        .flat_map(|contract| contract.methods)
        .filter_map(|method| {
            Some(Fading {
                method: method.path.trim_start_matches('/'),
                lifecycle: method.lifecycle?,
            })
        })
        .collect();
    fading.sort_by_key(|fading| (fading.lifecycle.sunset_unix, fading.method));
    fading
}

async fn fetch(client: &reqwest::Client, url: &str) -> anyhow::Result<String> {
    let response = client.get(url).send().await?.error_for_status()?;
    Ok(response.text().await?)
}
