//! What a peer says first: HTTP/2 as it should, or something else, which is told so as far as it can be.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The first bytes of a peer that speaks HTTP/2 (RFC 9113, section 3.4).
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Those of HTTP/1 (RFC 9110, section 9.1; RFC 5789).
const METHODS: [&[u8]; 9] = [
    b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH",
];
/// The longest of them.
const LONGEST: usize = 7;
/// A record of type handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// A fatal alert: handshake_failure (RFC 8446, section 6).
const NO_TLS: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
/// RFC 9110, section 15.6.6.
const NOT_HTTP1: &[u8] = b"HTTP/1.1 505 HTTP Version Not Supported\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 73\r\n\
    connection: close\r\n\
    \r\n\
    This port speaks gRPC, which needs HTTP/2 (with prior knowledge, or TLS)\n";
/// How much more is read from a peer that has had its answer, and for how long: a connection that is closed before all was read is
/// reset, and the answer may be lost with it (RFC 9112, section 9.6).
const LEFT_OVER: u64 = 64 * 1024;
const LEFT_OVER_FOR: Duration = Duration::from_secs(1);

/// What a peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http2,
    Http1,
    Tls,
    Other,
}

/// Reads as much as tells. For [`Protocol::Http2`] this is the preface and nothing more.
///
/// # Errors
/// Those of `io`; and that it ends too soon.
pub(crate) async fn read<IO: AsyncRead + Unpin>(io: &mut IO) -> io::Result<Protocol> {
    let mut said = [0; PREFACE.len()];
    let mut len = 0;
    loop {
        let more = io.read(&mut said[len..]).await?;
        if more == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        len += more;
        if let Some(protocol) = protocol(&said[..len]) {
            return Ok(protocol);
        }
    }
}

/// `None`: it takes more to tell.
fn protocol(said: &[u8]) -> Option<Protocol> {
    if PREFACE.starts_with(said) {
        return (said.len() == PREFACE.len()).then_some(Protocol::Http2);
    }
    let word = said.iter().position(|byte| *byte == b' ');
    match (word, said) {
        (Some(end), _) if METHODS.contains(&&said[..end]) => Some(Protocol::Http1),
        (None, [TLS_HANDSHAKE, ..]) => Some(Protocol::Tls),
        (None, _) if said.len() <= LONGEST && said.iter().all(u8::is_ascii_uppercase) => None,
        _ => Some(Protocol::Other),
    }
}

/// Tells a peer that speaks something else so, in its own words where they are known, and closes.
///
/// # Errors
/// Those of `io`.
pub(crate) async fn refuse<IO>(protocol: Protocol, mut io: IO) -> io::Result<()>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let answer = match protocol {
        Protocol::Http1 => NOT_HTTP1,
        Protocol::Tls => NO_TLS,
        Protocol::Http2 | Protocol::Other => return Ok(()),
    };
    io.write_all(answer).await?;
    io.shutdown().await?;
    let mut rest = io.take(LEFT_OVER);
    let mut nowhere = tokio::io::sink();
    let read = tokio::io::copy(&mut rest, &mut nowhere);
    match tokio::time::timeout(LEFT_OVER_FOR, read).await {
        Ok(read) => read.map(drop),
        Err(_elapsed) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn first_words_tell_the_protocol() {
        let check = |said: &[u8], expect| assert_eq!(protocol(said), expect, "{said:?}");
        check(b"", None);
        check(b"P", None);
        check(b"PRI * HTTP/2.0\r\n", None);
        check(PREFACE, Some(Protocol::Http2));
        check(b"PRI * HTTP/2.1\r\n", Some(Protocol::Other));
        check(b"PO", None);
        check(b"POST /", Some(Protocol::Http1));
        check(b"OPTIONS *", Some(Protocol::Http1));
        check(b"OPTIONSS", Some(Protocol::Other));
        check(b"SSH-2.0-x", Some(Protocol::Other));
        check(b"QUIT ", Some(Protocol::Other));
        check(b" GET", Some(Protocol::Other));
        check(&[TLS_HANDSHAKE, 3, 1, 2, 0, 1], Some(Protocol::Tls));
        check(&[0; 3], Some(Protocol::Other));
    }

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(NOT_HTTP1).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {}", body.len());
        assert!(head.contains(&length), "{length}");
    }

    #[tokio::test]
    async fn nothing_is_read_beyond_the_preface() {
        let said = [&PREFACE[..], b"more"].concat();
        let mut io = &said[..];
        assert_eq!(read(&mut io).await.unwrap(), Protocol::Http2);
        assert_eq!(io, b"more");
        let mut io = &PREFACE[..20];
        assert!(read(&mut io).await.is_err());
    }
}
