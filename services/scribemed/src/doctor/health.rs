//! Whether the services answer and serve.

use std::time::Duration;

use scribemed_discovery::{ServiceRegistry, Target};
use scribemed_service::{Channel, ChannelConfig, ChannelTls, ClientSettings, Env};
use tokio::net::TcpStream;
use tonic::Status;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Finding;
use crate::operator::SERVICES;

/// How long a service on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a service says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Serving,
    NotServing,
    /// Something answers, but no health service of gRPC.
    Foreign,
    /// Nothing answers.
    Silent,
}

impl Health {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::NotServing => "not serving",
            Self::Foreign => "something else answers there",
            Self::Silent => "does not answer",
        }
    }
}

/// What `grpc.health.v1` says at `target` of a service, named in full; of the whole server where the name is empty.
pub(crate) async fn status(target: &Target, service: &str) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    // Asked is whoever is there, whether it serves or not.
    let config = ChannelConfig {
        health: false,
        ..ChannelConfig::default()
    };
    let channel = Channel::builder(target, &[])
        .config(config)
        .tls(tls(target).map_err(|error| Status::unavailable(format!("{error:#}")))?)
        .build()
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let mut client = HealthClient::new(channel);
    match tokio::time::timeout(PATIENCE, client.check(request)).await {
        Ok(answer) => Ok(answer?.get_ref().status()),
        Err(_) => Err(Status::deadline_exceeded(format!(
            "{target} did not answer within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// What the variables say of TLS. Whose the target is, is not known, so its certificate must be for the host in it.
fn tls(target: &Target) -> anyhow::Result<Option<ChannelTls>> {
    if !target.is_tls() {
        return Ok(None);
    }
    let clients = ClientSettings::from_env(&Env::from_process())?;
    Ok(Some(clients.tls().load(None)?))
}

/// Asks the server at `target` once.
pub(crate) async fn ask(target: &Target) -> Health {
    match status(target, "").await {
        Ok(ServingStatus::Serving) => Health::Serving,
        Ok(_) => Health::NotServing,
        Err(_) => match TcpStream::connect(target.authority()).await {
            Ok(_) => Health::Foreign,
            Err(_) => Health::Silent,
        },
    }
}

/// Asks until the service answers.
pub(crate) async fn wait(target: &Target) -> Health {
    loop {
        match ask(target).await {
            Health::Silent | Health::Foreign => tokio::time::sleep(Duration::from_millis(20)).await,
            answer @ (Health::Serving | Health::NotServing) => return answer,
        }
    }
}

/// The health of each service.
pub(super) async fn check(registry: &ServiceRegistry, running: bool) -> Vec<Finding> {
    if !running {
        return vec![Finding::Note(
            "the platform is not running; `cargo xtask up` starts it".to_owned(),
        )];
    }
    let mut findings = Vec::new();
    for (service, _) in SERVICES {
        let finding = match registry.target(service) {
            Err(error) => Finding::bad(error.to_string(), "correct the variable"),
            Ok(target) => match ask(&target).await {
                Health::Serving => Finding::Good(format!("{service} serves")),
                Health::NotServing => Finding::bad(
                    format!("{service} does not serve"),
                    match service {
                        "transcription" => {
                            "install a speech model with `cargo xtask model`; it is picked up by itself"
                        }
                        _ => {
                            "look into the log of the platform: its store cannot be written, or it is shutting down"
                        }
                    },
                ),
                other @ (Health::Foreign | Health::Silent) => Finding::bad(
                    format!("{service} at {target}: {}", other.describe()),
                    "stop what is there, or start the platform with `cargo xtask up`",
                ),
            },
        };
        findings.push(finding);
    }
    findings
}
