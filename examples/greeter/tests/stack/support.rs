//! A server with the greeter and the troublemaker, and what tests ask of both.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use greeter::DESCRIPTOR_SET;
use greeter::greeter::Greeter;
use greeter::identity::{Identity, NAME};
use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::greeter_service_server::GreeterServiceServer;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::trouble_service_server::TroubleServiceServer;
use greeter::v1::{GREETER_SERVICE_POLICY, TROUBLE_SERVICE_POLICY};
use scribemed_auth::{
    BoxError, BoxFuture, Permission, SystemClock, Token, TokenCache, TokenSource,
};
use scribemed_client::Channel;
use scribemed_discovery::Target;
use scribemed_rpc::{ClientContract as _, ServicePolicy};
use scribemed_server::{Builder, Health};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::raw::Raw;
use crate::trouble::{Event, Trouble};

pub(crate) const CONTRACTS: [&ServicePolicy; 2] =
    [&GREETER_SERVICE_POLICY, &TROUBLE_SERVICE_POLICY];

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) identity: Arc<Identity>,
    pub(crate) events: mpsc::UnboundedReceiver<Event>,
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
    pub(crate) served: JoinHandle<Result<(), scribemed_server::Error>>,
}

/// Starts a server.
pub(crate) async fn start() -> Running {
    start_with(None, Duration::from_secs(20)).await
}

/// Starts a server that relays through `next`, and gives calls in flight so much time when it is shut down.
pub(crate) async fn start_with(next: Option<Channel>, grace: Duration) -> Running {
    start_as(next, |builder| builder.grace(grace)).await
}

/// Starts a server that relays through `next`, and is put together as `configure` has it.
pub(crate) async fn start_as(
    next: Option<Channel>,
    configure: impl FnOnce(Builder) -> Builder,
) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, next, configure)
}

/// As [`start_as`], on `listener`.
pub(crate) fn serve(
    listener: TcpListener,
    next: Option<Channel>,
    configure: impl FnOnce(Builder) -> Builder,
) -> Running {
    let address = listener.local_addr().unwrap();
    let identity = Arc::new(Identity::new().unwrap());
    let (sender, events) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let next = next.map(TroubleServiceClient::over);
    let trouble = Trouble::new(sender, Arc::clone(&gate), next);
    let shutdown = CancellationToken::new();
    let builder = Builder::new(NAME, identity.verifier().unwrap());
    let builder = configure(builder)
        .descriptor_set(DESCRIPTOR_SET)
        .add(GreeterServiceServer::new(Greeter))
        .add(TroubleServiceServer::new(trouble));
    let health = builder.health();
    let served = tokio::spawn(builder.serve(listener, shutdown.clone()));
    Running {
        address,
        identity,
        events,
        gate,
        health,
        shutdown,
        served,
    }
}

impl Running {
    /// A channel without tokens.
    pub(crate) fn channel(&self) -> Channel {
        Channel::new(&target(self.address), &CONTRACTS, None).unwrap()
    }

    /// A channel whose tokens grant these permissions.
    pub(crate) fn channel_with(&self, permissions: &[&str]) -> Channel {
        let tokens = self.tokens(permissions);
        Channel::new(&target(self.address), &CONTRACTS, Some(tokens)).unwrap()
    }

    /// Tokens of `tester` that grant these permissions.
    pub(crate) fn tokens(&self, permissions: &[&str]) -> TokenCache {
        let source = Granting {
            identity: Arc::clone(&self.identity),
            permissions: self::permissions(permissions),
        };
        TokenCache::new(Arc::new(source), NAME, Arc::new(SystemClock))
    }

    pub(crate) fn greeter(&self) -> GreeterServiceClient<Channel> {
        GreeterServiceClient::over(self.channel())
    }

    pub(crate) fn trouble(&self) -> TroubleServiceClient<Channel> {
        TroubleServiceClient::over(self.channel())
    }

    /// A connection that hides nothing.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }

    /// What the troublemaker tells next.
    pub(crate) async fn event(&mut self) -> Event {
        soon(self.events.recv())
            .await
            .expect("the handler is there")
    }
}

pub(crate) fn target(address: SocketAddr) -> Target {
    format!("http://{address}").parse().unwrap()
}

pub(crate) fn permissions(names: &[&str]) -> Vec<Permission> {
    names
        .iter()
        .map(|name| Permission::new(name).unwrap())
        .collect()
}

/// Tokens that the server's own identity signs.
struct Granting {
    identity: Arc<Identity>,
    permissions: Vec<Permission>,
}

impl TokenSource for Granting {
    fn fetch<'a>(&'a self, _audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async {
            let issued = self.identity.token("tester", &self.permissions)?;
            Ok(Token::new(issued.secret, issued.expires_at)?)
        })
    }
}

/// `future`, which must be done long before this gives up.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it takes much too long")
}

/// The reason in the ErrorInfo, which every error has.
pub(crate) fn reason(status: &Status) -> String {
    info(status).reason
}

pub(crate) fn info(status: &Status) -> tonic_types::ErrorInfo {
    status
        .get_details_error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo: {status:?}"))
}
