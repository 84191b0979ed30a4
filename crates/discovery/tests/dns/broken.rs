//! DNS servers that are broken in one way each.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;
use tokio_util::task::AbortOnDropHandle;

/// What a question is answered with; `None` is silence.
type Answer = fn(&[u8]) -> Option<Vec<u8>>;

pub(crate) const SERVFAIL: Answer = |question| Some(with_flags(question, 0x81, 0x82));
pub(crate) const RUBBISH: Answer = |_| Some(vec![0xff; 40]);
pub(crate) const EMPTY_DATAGRAM: Answer = |_| Some(Vec::new());
/// Truncated, and nothing listens on TCP.
pub(crate) const TRUNCATED: Answer = |question| Some(with_flags(question, 0x83, 0x80));
pub(crate) const CUT_OFF: Answer = |question| {
    let mut answer = with_flags(question, 0x81, 0x80);
    answer.truncate(15);
    Some(answer)
};
/// Says that 100 records follow, and none does.
pub(crate) const LIES_ABOUT_LENGTH: Answer = |question| {
    let mut answer = with_flags(question, 0x81, 0x80);
    answer[7] = 100;
    Some(answer)
};
/// As one who guesses would send it.
pub(crate) const ANOTHER_ID: Answer = |question| {
    let mut answer = only_a(question)?;
    answer[0] ^= 0xff;
    Some(answer)
};
/// Answers for A and never for AAAA, as some boxes in between do.
pub(crate) const ONLY_A: Answer = only_a;

/// Says that there is no AAAA, and nothing of A.
pub(crate) const NO_AAAA: Answer = |question| {
    let end = question_end(question);
    (question[end - 4..end - 2] == [0, 28]).then(|| with_flags(question, 0x81, 0x80))
};

fn only_a(question: &[u8]) -> Option<Vec<u8>> {
    let end = question_end(question);
    // The type is that of the question: 1 is A.
    if question[end - 4..end - 2] != [0, 1] {
        return None;
    }
    let mut answer = with_flags(question, 0x81, 0x80);
    answer.truncate(end);
    // One answer and no additional record: the name of the question, A, IN, 60 s, 4 bytes.
    answer[7] = 1;
    answer[11] = 0;
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]);
    Some(answer)
}

/// Where the question ends: after its name, type and class (RFC 1035 section 4.1.2).
fn question_end(question: &[u8]) -> usize {
    let mut at = 12;
    while question[at] != 0 {
        at += usize::from(question[at]) + 1;
    }
    at + 5
}

/// The question with these flags: QR, RD and TC in the first byte, RA and the code in the second.
fn with_flags(question: &[u8], first: u8, second: u8) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] = first;
    answer[3] = second;
    answer
}

/// Runs until it is dropped.
pub(crate) struct Broken {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

impl Broken {
    pub(crate) async fn silent() -> Self {
        Self::answering(|_| None).await
    }

    pub(crate) async fn answering(answer: Answer) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(answer) = answer(&buffer[..length]) {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Self {
            address,
            asked,
            _task: AbortOnDropHandle::new(task),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}
