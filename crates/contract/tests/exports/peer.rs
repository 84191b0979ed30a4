//! A server that does what a script says, call by call, and notes what it gets. It serves whatever is called, frame by frame.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use tokio::net::{TcpListener, TcpStream};

/// A call that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// `/inn.v1.Inn/Book`.
    pub(crate) path: String,
    /// `grpc-previous-rpc-attempts`.
    pub(crate) previous: Option<u32>,
}

/// What it saw.
#[derive(Debug, Default)]
struct Seen {
    calls: Vec<Call>,
    /// The services whose health was watched.
    watched: Vec<String>,
}

/// The server.
pub(crate) struct Peer {
    pub(crate) address: String,
    seen: Arc<Mutex<Seen>>,
}

/// In a script: no answer.
pub(crate) const SILENCE: u16 = u16::MAX;

/// A message of no bytes, and SERVING, each with its five bytes before it.
const EMPTY: &[u8] = &[0, 0, 0, 0, 0];
const SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 1];

impl Peer {
    /// Answers the n-th call with the n-th code, and all that follow with the last one.
    pub(crate) async fn start(script: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (script, noted) = (Arc::new(script.to_vec()), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&noted)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.seen.lock().unwrap().calls.clone()
    }

    pub(crate) fn watched(&self) -> Vec<String> {
        self.seen.lock().unwrap().watched.clone()
    }
}

async fn serve(stream: TcpStream, script: Arc<Vec<u16>>, seen: Arc<Mutex<Seen>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    // Watches and what is not answered stay open as long as their connection.
    let (mut watches, mut silent) = (Vec::new(), Vec::new());
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if request.uri().path() == "/grpc.health.v1.Health/Watch" {
            let mut answer = respond.send_response(head(), false).unwrap();
            answer
                .send_data(Bytes::from_static(SERVING), false)
                .unwrap();
            watches.push(answer);
            // The connection must be driven while the request is read.
            tokio::spawn(note_watch(request, Arc::clone(&seen)));
            continue;
        }
        let nth = note(&request, &seen);
        let code = *script.get(nth).or(script.last()).unwrap();
        if code == SILENCE {
            silent.push(respond);
        } else {
            answer(&mut respond, code);
        }
    }
}

/// Notes a call; which one it is, from 0.
fn note(request: &Request<h2::RecvStream>, seen: &Mutex<Seen>) -> usize {
    let previous = request.headers().get("grpc-previous-rpc-attempts");
    let call = Call {
        path: request.uri().path().to_owned(),
        previous: previous.map(|text| text.to_str().unwrap().parse().unwrap()),
    };
    let mut seen = seen.lock().unwrap();
    seen.calls.push(call);
    seen.calls.len() - 1
}

/// The name of the service is the only field of the request.
async fn note_watch(request: Request<h2::RecvStream>, seen: Arc<Mutex<Seen>>) {
    let mut body = request.into_body();
    let mut read = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        read.extend_from_slice(&data);
    }
    let name = read.get(7..).unwrap_or_default();
    seen.lock()
        .unwrap()
        .watched
        .push(String::from_utf8(name.to_vec()).unwrap());
}

fn head() -> Response<()> {
    Response::builder()
        .header("content-type", "application/grpc")
        .body(())
        .unwrap()
}

fn answer(respond: &mut SendResponse<Bytes>, code: u16) {
    if code == 0 {
        let mut body = respond.send_response(head(), false).unwrap();
        body.send_data(Bytes::from_static(EMPTY), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", "0".parse().unwrap());
        body.send_trailers(trailers).unwrap();
    } else {
        let mut response = head();
        response.headers_mut().insert("grpc-status", code.into());
        respond.send_response(response, true).unwrap();
    }
}
