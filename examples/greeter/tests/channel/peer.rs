//! A scripted server: answers as it is told, and remembers what it was asked.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Request};
use scribemed_client::Io;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::answer::{self, Answer};
use crate::raw::Raw;

/// How connections are received.
#[derive(Clone)]
pub(crate) enum Door {
    /// HTTP/2.
    Open,
    /// HTTP/2 within TLS.
    Tls(TlsAcceptor),
    /// Not at all.
    Refused,
    /// Neither taken nor refused.
    Hanging,
    /// Taken, and then there is silence.
    Mute,
    /// Taken, and closed at once.
    Slammed,
    /// Taken, and answered with these bytes, whatever is asked.
    Says(&'static [u8]),
    /// Frame by frame.
    Raw(Raw),
}

/// What the health service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Serving,
    NotServing,
    /// There is none.
    Unimplemented,
    /// The watch fails.
    Broken,
    /// Nothing yet.
    Silent,
}

/// What is done to an open connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// GOAWAY: what is in flight may end.
    GoAway,
    /// GOAWAY for too many pings: ENHANCE_YOUR_CALM.
    Calm,
    /// It is closed.
    Close,
    /// Nothing is read or written any more, and nobody is told.
    Freeze,
}

/// A call as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) at: Instant,
    /// The number of its connection, from 0.
    pub(crate) connection: usize,
    /// The ids of its messages so far.
    pub(crate) messages: Vec<String>,
    /// Bytes of its body so far.
    pub(crate) bytes: usize,
    /// The caller has sent all.
    pub(crate) complete: bool,
    /// The caller has reset it, with this reason.
    pub(crate) reset: Option<h2::Reason>,
}

/// What a peer remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) calls: Vec<Seen>,
    /// When somebody connected, or tried to.
    pub(crate) dials: Vec<Instant>,
    /// Connections that are open.
    pub(crate) open: usize,
    /// Bytes that the callers' windows have let through.
    pub(crate) flooded: usize,
}

/// A peer. Clones are one peer.
#[derive(Clone)]
pub(crate) struct Peer {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    script: Mutex<Script>,
    health: watch::Sender<Health>,
    log: watch::Sender<Log>,
}

struct Script {
    door: Door,
    /// The next calls are answered so, in order.
    answers: VecDeque<Answer>,
    /// And all others so.
    usual: Answer,
    settings: h2::server::Builder,
    commands: Vec<mpsc::UnboundedSender<Command>>,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let script = Script {
            door: Door::Open,
            answers: VecDeque::new(),
            usual: Answer::Echo,
            settings: h2::server::Builder::new(),
            commands: Vec::new(),
        };
        Self {
            inner: Arc::new(Inner {
                address,
                script: Mutex::new(script),
                health: watch::Sender::new(Health::Serving),
                log: watch::Sender::default(),
            }),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.inner.address
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.inner.script.lock().unwrap()
    }

    /// Answers the next calls so.
    pub(crate) fn next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().answers.extend(answers);
    }

    /// Answers all calls so that have no answer of their own.
    pub(crate) fn always(&self, answer: Answer) {
        self.script().usual = answer;
    }

    pub(crate) fn door(&self, door: Door) {
        self.script().door = door;
    }

    /// Changes the settings of connections to come.
    pub(crate) fn settings(&self, change: impl FnOnce(&mut h2::server::Builder)) {
        change(&mut self.script().settings);
    }

    pub(crate) fn health(&self, health: Health) {
        self.inner.health.send_replace(health);
    }

    /// Does this to every open connection.
    pub(crate) fn command(&self, command: Command) {
        self.script()
            .commands
            .retain(|connection| connection.send(command).is_ok());
    }

    pub(crate) fn log(&self) -> Log {
        self.inner.log.borrow().clone()
    }

    /// The calls so far, health watches not counted.
    pub(crate) fn calls(&self) -> Vec<Seen> {
        self.inner.log.borrow().calls.clone()
    }

    /// Reads one of them, by its number.
    pub(crate) fn call<T>(&self, call: usize, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.inner.log.borrow().calls[call])
    }

    pub(crate) fn count(&self) -> usize {
        self.inner.log.borrow().calls.len()
    }

    /// Waits until this is so.
    pub(crate) async fn until(&self, what: impl FnMut(&Log) -> bool) {
        let mut log = self.inner.log.subscribe();
        let reached = log.wait_for(what);
        let reached = tokio::time::timeout(Duration::from_secs(60), reached).await;
        assert!(
            reached.is_ok(),
            "it did not come to that: {:#?}",
            self.log()
        );
    }

    /// What a call, by its number, has become.
    pub(crate) fn note(&self, call: usize, change: impl FnOnce(&mut Seen)) {
        self.inner
            .log
            .send_modify(|log| change(&mut log.calls[call]));
    }

    pub(crate) fn flooded(&self, bytes: usize) {
        self.inner.log.send_modify(|log| log.flooded += bytes);
    }

    pub(crate) fn watch_health(&self) -> watch::Receiver<Health> {
        self.inner.health.subscribe()
    }

    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Io>> {
        self.inner
            .log
            .send_modify(|log| log.dials.push(Instant::now()));
        let door = self.script().door.clone();
        match door {
            Door::Refused => return Err(io::ErrorKind::ConnectionRefused.into()),
            Door::Hanging => std::future::pending().await,
            Door::Open
            | Door::Tls(_)
            | Door::Mute
            | Door::Slammed
            | Door::Says(_)
            | Door::Raw(_) => {}
        }
        let (near, far) = tokio::io::duplex(256 * 1024);
        tokio::spawn(self.clone().receive(far, door));
        Ok(Box::new(near))
    }

    /// Receives a connection.
    pub(crate) async fn receive(self, mut io: impl Io, door: Door) {
        match door {
            Door::Open => self.serve(io).await,
            Door::Tls(acceptor) => {
                if let Ok(io) = acceptor.accept(io).await {
                    self.serve(io).await;
                }
            }
            Door::Says(bytes) => {
                let _ = io.write_all(bytes).await;
                let _ = tokio::io::copy(&mut io, &mut tokio::io::sink()).await;
            }
            Door::Raw(raw) => raw.serve(&self, io).await,
            Door::Mute => {
                // What is sent is taken.
                let _ = tokio::io::copy(&mut io, &mut tokio::io::sink()).await;
            }
            Door::Slammed | Door::Refused | Door::Hanging => {}
        }
    }

    async fn serve(self, io: impl Io) {
        let (sender, mut commands) = mpsc::unbounded_channel();
        let (settings, number) = {
            let mut script = self.script();
            script.commands.push(sender);
            (
                script.settings.clone(),
                self.inner.log.borrow().dials.len().saturating_sub(1),
            )
        };
        let Ok(mut connection) = settings.handshake::<_, Bytes>(io).await else {
            return;
        };
        self.inner.log.send_modify(|log| log.open += 1);
        loop {
            tokio::select! {
                accepted = connection.accept() => match accepted {
                    Some(Ok((request, respond))) => self.accept(request, respond, number),
                    _ => break,
                },
                Some(command) = commands.recv() => match command {
                    Command::GoAway => connection.graceful_shutdown(),
                    Command::Calm => connection.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM),
                    Command::Close => break,
                    Command::Freeze => std::future::pending().await,
                },
            }
        }
        self.inner.log.send_modify(|log| log.open -= 1);
    }

    fn accept(
        &self,
        request: Request<h2::RecvStream>,
        respond: SendResponse<Bytes>,
        number: usize,
    ) {
        let (head, body) = request.into_parts();
        if head.uri.path() == "/grpc.health.v1.Health/Watch" {
            tokio::spawn(answer::health(self.clone(), respond, body));
            return;
        }
        let answer = {
            let mut script = self.script();
            let usual = script.usual.clone();
            script.answers.pop_front().unwrap_or(usual)
        };
        let call = self.record(head.uri.path(), head.headers, number);
        tokio::spawn(answer::play(self.clone(), call, answer, respond, body));
    }

    /// Notes that a call has arrived.
    pub(crate) fn record(&self, path: &str, headers: HeaderMap, connection: usize) -> usize {
        let seen = Seen {
            path: path.to_owned(),
            headers,
            at: Instant::now(),
            connection,
            messages: Vec::new(),
            bytes: 0,
            complete: false,
            reset: None,
        };
        let mut call = 0;
        self.inner.log.send_modify(|log| {
            call = log.calls.len();
            log.calls.push(seen);
        });
        call
    }
}

impl Seen {
    /// `grpc-previous-rpc-attempts`.
    pub(crate) fn previous(&self) -> Option<&str> {
        self.header("grpc-previous-rpc-attempts")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// `grpc-timeout`.
    pub(crate) fn timeout(&self) -> Duration {
        scribemed_rpc::parse_timeout(&self.headers["grpc-timeout"]).unwrap()
    }
}
