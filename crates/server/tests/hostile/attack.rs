//! A server under attack: the attacker, a good caller, and what the attack costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use scribemed_server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::MEMORY;
use crate::support::{CHECK, Running, SERVING, WHOLE, receive, send, start_with};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// POST, http.
pub(crate) const POST: [u8; 2] = [0x83, 0x86];

const SECOND: Duration = Duration::from_secs(1);
/// How much a pipe takes until it is read.
const PIPE: usize = 64 * 1024;
/// What an attack may cost beyond what there was, in bytes: about what 200 calls cost that wait.
const MEMORY_BOUND: usize = 4 * 1024 * 1024;
/// How much of an attack may be handled between a good caller's question and its answer: writes of the attacker.
const PATIENCE: usize = 40;

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The header block of a call of the health service.
pub(crate) fn check_head() -> Vec<u8> {
    let mut block = POST.to_vec();
    // Literals without indexing: `:path`, `content-type` (RFC 7541, section 6.2.2).
    block.extend([0x04, u8::try_from(CHECK.len()).unwrap()]);
    block.extend(CHECK.as_bytes());
    block.extend([0x0f, 0x10, 16]);
    block.extend(b"application/grpc");
    block
}

/// The tests run one at a time: what is allocated is counted for all of them.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A server, and somebody who calls it as one should.
pub(crate) struct Scene {
    pub(crate) server: Running,
    good: h2::client::SendRequest<bytes::Bytes>,
    before: usize,
    _alone: MutexGuard<'static, ()>,
}

/// Somebody who does not.
pub(crate) struct Attacker {
    write: WriteHalf<DuplexStream>,
    /// Reads until the end. What the last GOAWAY said.
    reader: JoinHandle<Option<u32>>,
    writes: Arc<AtomicUsize>,
}

pub(crate) async fn scene() -> Scene {
    let alone = ALONE.lock().await;
    let server = start_with(Limits::default());
    let (good, connection) = h2::client::handshake(server.pipe(PIPE, None))
        .await
        .unwrap();
    tokio::spawn(connection);
    let mut scene = Scene {
        server,
        good: good.ready().await.unwrap(),
        before: 0,
        _alone: alone,
    };
    scene.call().await;
    scene.before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    scene
}

impl Scene {
    /// A call as it should be, which is answered.
    pub(crate) async fn call(&mut self) {
        let response = send(&mut self.good, CHECK, &[], WHOLE);
        let answered = async { receive(response.await.unwrap()).await };
        let (message, _status) = timeout(SECOND, answered).await.unwrap();
        assert_eq!(message, SERVING);
    }

    /// A connection that has said hello, and reads what it is sent.
    pub(crate) async fn attacker(&self) -> Attacker {
        let (read, mut write) = tokio::io::split(self.server.pipe(PIPE, None));
        write.write_all(PREFACE).await.unwrap();
        write.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        Attacker {
            write,
            reader: tokio::spawn(last_goaway(read)),
            writes: Arc::default(),
        }
    }

    /// Attacks with `next` (write by write) until the connection ends, calling as a good caller meanwhile. Returns what the
    /// GOAWAY said.
    pub(crate) async fn withstand(&mut self, mut next: impl FnMut(u32) -> Vec<u8>) -> Option<u32> {
        let mut attacker = self.attacker().await;
        let (writes, mut write) = (Arc::clone(&attacker.writes), attacker.write);
        let attack = async {
            for number in 0.. {
                if write.write_all(&next(number)).await.is_err() {
                    return;
                }
                attacker.writes.fetch_add(1, Ordering::Relaxed);
                // Whoever attacks over a network lets others run, too.
                tokio::task::yield_now().await;
                assert!(number < 100_000, "the attack goes on for ever");
            }
        };
        let good = async {
            loop {
                let before = writes.load(Ordering::Relaxed);
                self.call().await;
                let meanwhile = writes.load(Ordering::Relaxed) - before;
                assert!(meanwhile <= PATIENCE, "answered {meanwhile} writes later");
            }
        };
        tokio::select! {
            () = attack => {}
            never = good => never,
        }
        let said = timeout(SECOND, &mut attacker.reader)
            .await
            .unwrap()
            .unwrap();
        // And afterwards.
        self.call().await;
        self.is_bounded();
        said
    }

    /// What was allocated since the beginning.
    pub(crate) fn is_bounded(&self) {
        let peak = MEMORY.peak_usage() - self.before;
        assert!(peak < MEMORY_BOUND, "{peak} bytes");
    }
}

/// Reads to the end of the connection.
async fn last_goaway(mut read: ReadHalf<DuplexStream>) -> Option<u32> {
    let mut said = None;
    loop {
        let mut head = [0; 9];
        if read.read_exact(&mut head).await.is_err() {
            return said;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        read.read_exact(&mut payload).await.ok()?;
        if head[3] == GOAWAY {
            said = Some(u32::from_be_bytes(payload[4..8].try_into().unwrap()));
        }
    }
}
