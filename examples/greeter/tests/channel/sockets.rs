//! The sockets of the system: unix, and TCP that goes and comes back.

use std::time::Duration;

use scribemed_client::{Channel, Config};
use scribemed_resilience::backoff::Backoff;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tonic::Code;

use crate::peer::{Command, Door, Peer};
use crate::support::{CONTRACT, client, error, id, ms, over, reason, report, request, soon, until};

fn to(target: &str) -> Channel {
    Channel::builder(&target.parse().unwrap(), &[CONTRACT])
        .config(Config {
            connect_backoff: Backoff::new(ms(5), ms(20), 1.6, 0.2).unwrap(),
            ..config(|_| {})
        })
        .build()
        .unwrap()
}

fn peer() -> Peer {
    Peer::new(([127, 0, 0, 1], 1).into())
}

fn accept(listener: TcpListener, peer: &Peer) -> JoinHandle<()> {
    let peer = peer.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(peer.clone().receive(stream, Door::Open));
        }
    })
}

#[tokio::test]
async fn a_unix_socket_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greeter.sock");
    let target = format!("unix://{}", path.display());
    let channel = to(&target);
    let status = error(over(&channel).flaky(request("a")).await);
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains(&target), "{}", status.message());

    let (listener, peer) = (UnixListener::bind(&path).unwrap(), peer());
    let serving = peer.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serving.clone().receive(stream, Door::Open));
        }
    });
    assert_eq!(id(soon(over(&channel).patient(request("b"))).await.unwrap()), "b");
    peer.always(crate::answer::Answer::Fail(Code::NotFound));
    let status = error(over(&channel).flaky_once(request("c")).await);
    assert_eq!(report(&status).endpoint(), Some(format!("unix:{}", path.display()).as_str()));
}

#[tokio::test]
async fn a_server_that_restarts_on_its_port_is_found_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let channel = to(&format!("http://{address}"));
    let mut client = over(&channel);
    drop(listener);
    let mut served = 0;
    for _ in 0..3 {
        let peer = peer();
        let serving = accept(TcpListener::bind(address).await.unwrap(), &peer);
        soon(client.patient(request("a"))).await.unwrap();
        serving.abort();
        let _ = serving.await;
        peer.command(Command::Close);
        until(&channel, |status| status.endpoints[0].connections == 0).await;
        served += peer.count();
    }
    assert_eq!(served, 3);
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_refused_at_once() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let channel = to(&format!("http://{address}"));
    let call = tokio::time::timeout(Duration::from_secs(2), async {
        over(&channel).flaky(request("a")).await
    });
    let status = error(call.await.unwrap());
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UNREACHABLE"));
    assert!(status.message().contains("refused"), "{}", status.message());
}
