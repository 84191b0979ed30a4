//! Codecs that check: a handler never sees an invalid request, a client never hands on an invalid response, and it sends no
//! invalid request: that is refused before it costs a round trip.
//!
//! Code generation puts [`ServerCodec`] into servers and [`ClientCodec`] into clients.

mod refusal;

use std::marker::PhantomData;

use http::HeaderValue;
use prost::Message;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use tonic_prost::{ProstDecoder, ProstEncoder};

pub use refusal::recover;

use crate::{Fault, Validate, Violation, metadata, reason};

/// What to say of an invalid message.
pub trait Side: Send + 'static {
    /// The status for it.
    fn refuse(violations: &[Violation]) -> Status;

    /// The status for a message that cannot even be read; `status` is what the decoder says.
    fn unreadable(status: Status) -> Status;

    /// Whether a message may be sent.
    ///
    /// # Errors
    /// The status for one that may not.
    fn sendable(message: &impl Validate) -> Result<(), Status>;
}

/// The server's side: the caller sent what is invalid.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serving;

impl Side for Serving {
    fn refuse(violations: &[Violation]) -> Status {
        Fault::invalid("contract.scribemed", violations).into_status()
    }

    fn unreadable(status: Status) -> Status {
        status
    }

    /// Every message: that a response keeps its rules is checked once, by the client.
    fn sendable(_message: &impl Validate) -> Result<(), Status> {
        Ok(())
    }
}

/// The client's side: the server answered with what is invalid, which is the server's fault.
#[derive(Debug, Clone, Copy, Default)]
pub struct Calling;

impl Side for Calling {
    fn refuse(violations: &[Violation]) -> Status {
        let first = violations
            .first()
            .map_or_else(String::new, ToString::to_string);
        let fault = Fault::new(
            Code::Internal,
            reason::INVALID_RESPONSE,
            "contract.scribemed",
            format!("the response breaks the contract: {first}"),
        );
        Self::unreadable(fault.into_status())
    }

    /// Marked as the failure of a call, so that no server passes it on. The codec does not know which service was called.
    fn unreadable(mut status: Status) -> Status {
        let mut headers = std::mem::take(status.metadata_mut()).into_headers();
        headers.insert(metadata::X_CALL_SERVICE, HeaderValue::from_static("-"));
        *status.metadata_mut() = MetadataMap::from_headers(headers);
        status
    }

    /// INVALID_ARGUMENT with the details that the server would give. It is marked, too: what a server asks of another one
    /// wrongly is no fault of its own caller.
    fn sendable(message: &impl Validate) -> Result<(), Status> {
        message.validate().map_err(|violations| {
            let fault = Fault::invalid("contract.scribemed", &violations).not_sent();
            Self::unreadable(fault.into_status())
        })
    }
}

/// A protobuf codec that checks what it decodes and, in a client, what it encodes.
#[derive(Debug, Clone)]
pub struct CheckedCodec<T, U, S> {
    types: PhantomData<(T, U, S)>,
}

/// The codec of generated servers: an invalid request is answered with INVALID_ARGUMENT and BadRequest.
pub type ServerCodec<T, U> = CheckedCodec<T, U, Serving>;

/// The codec of generated clients: an invalid response becomes INTERNAL, an invalid request INVALID_ARGUMENT before it is sent.
/// Over a channel that is not the platform's, tonic makes INTERNAL of the latter, too; with [`recover`] a channel does better.
pub type ClientCodec<T, U> = CheckedCodec<T, U, Calling>;

impl<T, U, S> Default for CheckedCodec<T, U, S> {
    fn default() -> Self {
        Self { types: PhantomData }
    }
}

impl<T, U, S> Codec for CheckedCodec<T, U, S>
where
    T: Message + Validate + Send + 'static,
    U: Message + Validate + Default + Send + 'static,
    S: Side,
{
    type Encode = T;
    type Decode = U;
    type Encoder = CheckedEncoder<T, S>;
    type Decoder = CheckedDecoder<U, S>;

    fn encoder(&mut self) -> Self::Encoder {
        CheckedEncoder {
            inner: ProstEncoder::default(),
            side: PhantomData,
        }
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckedDecoder {
            inner: ProstDecoder::default(),
            side: PhantomData,
        }
    }
}

/// The encoder of [`CheckedCodec`].
#[derive(Debug)]
pub struct CheckedEncoder<T, S> {
    inner: ProstEncoder<T>,
    side: PhantomData<S>,
}

impl<T, S> Encoder for CheckedEncoder<T, S>
where
    T: Message + Validate,
    S: Side,
{
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        S::sendable(&message).map_err(refusal::keep)?;
        self.inner.encode(message, buf)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.inner.buffer_settings()
    }
}

/// The decoder of [`CheckedCodec`].
#[derive(Debug)]
pub struct CheckedDecoder<U, S> {
    inner: ProstDecoder<U>,
    side: PhantomData<S>,
}

impl<U, S> Decoder for CheckedDecoder<U, S>
where
    U: Message + Validate + Default,
    S: Side,
{
    type Item = U;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let Some(message) = self.inner.decode(src).map_err(S::unreadable)? else {
            return Ok(None);
        };
        match message.validate() {
            Ok(()) => Ok(Some(message)),
            Err(violations) => Err(S::refuse(&violations)),
        }
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.inner.buffer_settings()
    }
}
