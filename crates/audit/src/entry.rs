//! What a record says.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chain::{self, Key};
use crate::time::rfc3339;

/// The longest name or id that a record holds, in bytes. What is longer is cut: no name of ours is.
const LONGEST: usize = 256;

/// A call that ended. Ids and names only: nothing of a patient.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When it came.
    pub time: SystemTime,
    /// The service that called; `None`: it was not authenticated.
    pub caller: Option<Box<str>>,
    /// On whose behalf. `None`: the service acts for itself.
    pub on_behalf_of: Option<OnBehalfOf>,
    /// What was called: `scribemed.documentation.v2.DocumentationService/GetNote`.
    pub method: &'static str,
    /// How it ended: the name of the gRPC status code, `NOT_FOUND`.
    pub code: &'static str,
    /// The id of the request that it was part of.
    pub request_id: Uuid,
    /// The id of the access token (`jti`).
    pub token_id: Option<Box<str>>,
    /// Where it came from.
    pub peer: Option<SocketAddr>,
}

/// The end user for whom a service acts (RFC 8693, section 4.1), as its token has them.
#[derive(Debug, Clone, Serialize)]
pub struct OnBehalfOf {
    /// Who knows the user.
    pub issuer: Box<str>,
    /// The id that the issuer has for them: no name.
    pub subject: Box<str>,
    /// The services that acted for the user before the caller, the latest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prior_actors: Vec<String>,
}

/// How an [`Entry`] is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The caller is known.
    Known,
    /// It is not, so it may send as many calls as it likes: what is above 50 a second is counted only.
    Stranger,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    Call(Entry),
    /// A process has opened the file; so many bytes of a line that broke off were cut.
    Opened {
        torn_bytes: u64,
    },
    /// So many calls of strangers were refused, and have no record of their own.
    Suppressed {
        count: u64,
    },
    /// The process has ended as it should.
    Closed,
}

/// The body of a line, in the order in which it is written.
#[derive(Debug, Serialize)]
struct Line<'a> {
    seq: u64,
    time: &'a str,
    service: &'a str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<&'a OnBehalfOf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    torn_bytes: Option<u64>,
    prev: &'a str,
}

/// What a chain is followed by.
#[derive(Debug, Deserialize)]
pub(crate) struct Links {
    pub(crate) seq: u64,
    pub(crate) event: String,
    pub(crate) prev: String,
}

impl Event {
    /// Appends the line of the record `seq`, which follows one with the hash `prev`, to `out`; returns its hash.
    pub(crate) fn write(
        &self,
        seq: u64,
        service: &str,
        prev: &str,
        key: Option<&Key>,
        out: &mut Vec<u8>,
    ) -> serde_json::Result<String> {
        let time = match self {
            Self::Call(entry) => entry.time,
            Self::Opened { .. } | Self::Suppressed { .. } | Self::Closed => SystemTime::now(),
        };
        let time = rfc3339(time);
        let mut line = Line {
            seq,
            time: &time,
            service,
            event: "call",
            caller: None,
            on_behalf_of: None,
            method: None,
            code: None,
            request_id: None,
            token_id: None,
            peer: None,
            count: None,
            torn_bytes: None,
            prev,
        };
        match self {
            Self::Call(entry) => {
                line.caller = entry.caller.as_deref().map(cut);
                line.on_behalf_of = entry.on_behalf_of.as_ref();
                line.method = Some(cut(entry.method));
                line.code = Some(entry.code);
                line.request_id = Some(entry.request_id);
                line.token_id = entry.token_id.as_deref().map(cut);
                line.peer = entry.peer;
            }
            Self::Opened { torn_bytes } => {
                line.event = "opened";
                line.torn_bytes = (*torn_bytes > 0).then_some(*torn_bytes);
            }
            Self::Suppressed { count } => {
                line.event = "suppressed";
                line.count = Some(*count);
            }
            Self::Closed => line.event = "closed",
        }
        let mut body = serde_json::to_vec(&line)?;
        // The brace comes after the hash.
        body.pop();
        Ok(chain::seal(key, &body, out))
    }
}

impl Links {
    /// Those of the body of a line.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let whole = [body, b"}"].concat();
        serde_json::from_slice(&whole).ok()
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}
