//! What to try next.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use scribemed_discovery::ServiceRegistry;

use crate::data::Data;
use crate::doctor::health::{self, Health};
use crate::operator::SERVICES;

/// How long the services may take to answer after their start. They answer before their model is loaded.
const START: Duration = Duration::from_secs(30);

/// Waits until every service answers.
pub(crate) async fn when_ready(registry: &ServiceRegistry) -> anyhow::Result<Vec<Health>> {
    let all = async {
        let mut answers = Vec::new();
        for (service, _) in SERVICES {
            let target = registry.target(service)?;
            answers.push(health::wait(&target).await);
        }
        anyhow::Ok(answers)
    };
    tokio::time::timeout(START, all)
        .await
        .context("a service does not answer; its log tells why")?
}

/// Where everything is, and commands to copy.
pub(crate) fn text(
    data: &Data,
    addresses: &[SocketAddr],
    admin: &[SocketAddr],
    health: &[Health],
    lacking: &[String],
) -> String {
    let mut out = String::from("\nScribeMed is up.\n");
    for (i, (((service, _), address), health)) in
        SERVICES.iter().zip(addresses).zip(health).enumerate()
    {
        let health = health.describe();
        out.push_str(&format!("  {service:<14} {address:<22} "));
        out.push_str(&match admin.get(i) {
            Some(admin) => format!("{health:<12} admin http://{admin}\n"),
            None => format!("{health}\n"),
        });
    }
    for lacks in lacking {
        out.push_str(&format!("\n{lacks}\n"));
    }
    let program = std::env::current_exe()
        .ok()
        .and_then(|path| {
            let here = std::env::current_dir().ok()?;
            Some(
                path.strip_prefix(here)
                    .unwrap_or(&path)
                    .display()
                    .to_string(),
            )
        })
        .unwrap_or_else(|| "scribemed".to_owned());
    let elsewhere = elsewhere(data, addresses);
    let port = |i: usize| addresses.get(i).map_or(0, SocketAddr::port);
    out.push_str(&format!(
        "
Try, in another terminal:
  {elsewhere}{program} note visit.wav --patient 0198c0de-0000-7000-8000-000000000001 \\
      --encounter 0198c0de-0000-7000-8000-000000000002 --provider 0198c0de-0000-7000-8000-000000000003
  grpcurl -plaintext localhost:{transcription} list
  grpcurl -plaintext -H \"authorization: Bearer $({elsewhere}{program} token --permissions read:transcriptions)\" \\
      localhost:{transcription} scribemed.transcription.v2.TranscriptionService/ListTranscriptions
  {elsewhere}{program} doctor
{channels}
Ctrl-C stops it; what was accepted goes on after the next start.
",
        transcription = port(1),
        channels = admin.last().map_or(String::new(), |admin| format!("  curl 'http://{admin}/debug/channels?format=json'\n")),
    ));
    out
}

/// What must stand before a command that shall find a platform with other addresses, or another data folder.
fn elsewhere(data: &Data, addresses: &[SocketAddr]) -> String {
    let mut out = String::new();
    for ((service, port), address) in SERVICES.iter().zip(addresses) {
        if address.port() != *port || !address.ip().is_loopback() {
            out.push_str(&format!(
                "{}=http://{address} ",
                scribemed_discovery::variable(service)
            ));
        }
    }
    if std::path::absolute(".scribemed").ok().as_deref() != Some(data.root()) {
        out.push_str(&format!("SCRIBEMED_DATA={} ", data.root().display()));
    }
    out
}
