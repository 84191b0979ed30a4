//! Too many calls: what the server refuses, and what a channel makes of it.

use std::sync::Arc;

use greeter::greeter::Greeter;
use greeter::identity::{Identity, NAME};
use greeter::v1::greeter_service_server::GreeterServiceServer;
use greeter::v1::overload_service_client::OverloadServiceClient;
use greeter::v1::overload_service_server::{OverloadService, OverloadServiceServer};
use greeter::v1::{
    OVERLOAD_SERVICE_POLICY, RescueRequest, RescueResponse, SayGoodbyeRequest, SayHelloRequest,
    TidyRequest, TidyResponse,
};
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use scribemed_server::{Builder, Concurrency};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt as _;

use crate::raw::Raw;
use crate::support::{info, permissions, reason, soon, target};

/// Ends its calls when it is let.
struct Gate {
    entered: mpsc::UnboundedSender<()>,
    open: Arc<Semaphore>,
}

impl Gate {
    async fn wait(&self) {
        self.entered.send(()).unwrap();
        self.open.acquire().await.unwrap().forget();
    }
}

#[tonic::async_trait]
impl OverloadService for Gate {
    async fn tidy(&self, _: Request<TidyRequest>) -> Result<Response<TidyResponse>, Status> {
        self.wait().await;
        Ok(Response::new(TidyResponse {}))
    }

    async fn rescue(&self, _: Request<RescueRequest>) -> Result<Response<RescueResponse>, Status> {
        self.wait().await;
        Ok(Response::new(RescueResponse {}))
    }
}

struct Running {
    address: std::net::SocketAddr,
    identity: Identity,
    entered: mpsc::UnboundedReceiver<()>,
    open: Arc<Semaphore>,
    _ends: DropGuard,
}

async fn start(configure: impl FnOnce(Builder) -> Builder) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let identity = Identity::new().unwrap();
    let (sender, entered) = mpsc::unbounded_channel();
    let open = Arc::new(Semaphore::new(0));
    let gate = Gate {
        entered: sender,
        open: Arc::clone(&open),
    };
    let shutdown = CancellationToken::new();
    let server = Builder::new(NAME, identity.verifier().unwrap())
        .grace(std::time::Duration::ZERO)
        .add(GreeterServiceServer::new(Greeter))
        .add(OverloadServiceServer::new(gate));
    tokio::spawn(configure(server).serve(listener, shutdown.clone()));
    Running {
        address,
        identity,
        entered,
        open,
        _ends: shutdown.drop_guard(),
    }
}

/// Two calls at a time: one of them may be sheddable, and three are there for what must not be failed.
fn two(server: Builder) -> Builder {
    server.concurrency(Some(Concurrency {
        min: 2,
        max: 2,
        ..Concurrency::default()
    }))
}

#[tokio::test]
async fn what_matters_least_is_refused_and_what_matters_most_is_not() {
    let mut server = start(two).await;
    let channel = Channel::new(&target(server.address), &[&OVERLOAD_SERVICE_POLICY], None).unwrap();
    let mut client = OverloadServiceClient::over(channel);
    let first = tokio::spawn({
        let mut client = client.clone();
        async move { client.tidy(TidyRequest {}).await }
    });
    soon(server.entered.recv()).await.unwrap();

    let refused = soon(client.tidy(TidyRequest {})).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "OVERLOADED");
    let info = info(&refused);
    assert_eq!(
        (info.domain.as_str(), info.metadata["criticality"].as_str()),
        ("greeter.scribemed", "SHEDDABLE")
    );
    let wait = refused
        .get_details_retry_info()
        .unwrap()
        .retry_delay
        .unwrap();
    assert!((2_000..=6_000).contains(&wait.as_millis()), "{wait:?}");

    // The channel learns to keep such calls to itself, and goes on to send the others.
    let mut throttled = 0;
    for _ in 0..200 {
        let refused = soon(client.tidy(TidyRequest {})).await.unwrap_err();
        throttled += u32::from(refused.code() == Code::Unavailable);
    }
    assert!(throttled > 100, "{throttled}");
    for _ in 0..50 {
        server.open.add_permits(1);
        let rescue = soon(client.rescue(RescueRequest {}));
        // The one permit may go to the call that waits since the beginning; then this one takes the next.
        let again = async {
            soon(server.entered.recv()).await.unwrap();
            server.open.add_permits(1);
        };
        let (rescued, ()) = tokio::join!(rescue, again);
        assert!(rescued.is_ok(), "{rescued:?}");
    }
    assert!(soon(first).await.unwrap().is_ok());
}

#[tokio::test]
async fn health_is_answered_by_a_server_that_takes_nothing_else() {
    let mut server = start(two).await;
    let mut raw = Raw::connect(server.address).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut begun = raw.begin("/greeter.v1.OverloadService/Rescue", &[]).await;
        begun
            .body
            .send_data(crate::raw::frame(&RescueRequest {}), true)
            .unwrap();
        held.push(begun);
        soon(server.entered.recv()).await.unwrap();
    }
    let hello = SayHelloRequest {
        name: "Ada".to_owned(),
    };
    let path = "/greeter.v1.GreeterService/SayHello";
    let refused = raw.unary(path, &[], &hello).await;
    assert_eq!(refused.status().code(), Code::ResourceExhausted);
    assert!(refused.trailers.is_none(), "there is nothing but a head");
    assert!(refused.head.contains_key("grpc-retry-pushback-ms"));
    assert!(refused.head.contains_key("x-request-id"));
    let check = tonic_health::pb::HealthCheckRequest {
        service: String::new(),
    };
    let health = raw.unary("/grpc.health.v1.Health/Check", &[], &check).await;
    assert_eq!(health.status().code(), Code::Ok);

    server.open.add_permits(3);
    for begun in held {
        assert_eq!(begun.end().await.status().code(), Code::Ok);
    }
    assert_eq!(raw.unary(path, &[], &hello).await.status().code(), Code::Ok);
}

#[tokio::test]
async fn each_caller_may_call_so_often() {
    let server = start(|server| server.rate_limits("tester=2/h,*=1/h".parse().unwrap())).await;
    let mut raw = Raw::connect(server.address).await;
    let goodbye = SayGoodbyeRequest {
        name: "Ada".to_owned(),
    };
    let bearer = |caller: &str| {
        let granted = permissions(&["say:goodbyes"]);
        let issued = server.identity.token(caller, &granted).unwrap();
        format!("Bearer {}", issued.secret.expose())
    };
    for (caller, allowed) in [("tester", 2), ("other", 1), ("another", 1)] {
        let token = bearer(caller);
        let headers = [("authorization", token.as_str())];
        let path = "/greeter.v1.GreeterService/SayGoodbye";
        for _ in 0..allowed {
            let answer = raw.unary(path, &headers, &goodbye).await;
            assert_eq!(answer.status().code(), Code::Ok, "{caller}");
        }
        let status = raw.unary(path, &headers, &goodbye).await.status();
        assert_eq!(status.code(), Code::ResourceExhausted, "{caller}");
        assert_eq!(reason(&status), "RATE_LIMITED");
        assert_eq!(info(&status).metadata["caller"], caller);
        let details = status.get_error_details();
        let subject = &details.quota_failure().unwrap().violations[0].subject;
        assert_eq!(*subject, format!("service:{caller}"));
        assert!(details.retry_info().unwrap().retry_delay.unwrap().as_secs() > 1_000);
        assert!(status.metadata().contains_key("grpc-retry-pushback-ms"));
    }
    // Nobody is known on a public method.
    let hello = SayHelloRequest {
        name: "Ada".to_owned(),
    };
    for _ in 0..5 {
        let path = "/greeter.v1.GreeterService/SayHello";
        assert_eq!(raw.unary(path, &[], &hello).await.status().code(), Code::Ok);
    }
}
