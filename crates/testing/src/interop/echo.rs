//! Metadata that goes back as it came.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Frame;
use scribemed_rpc::{ServerContract, ServicePolicy};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// Comes back with the head of the answer.
pub(super) const INITIAL: HeaderName = HeaderName::from_static("x-grpc-test-echo-initial");
/// Comes back with its trailers.
pub(super) const TRAILING: HeaderName = HeaderName::from_static("x-grpc-test-echo-trailing-bin");

/// A generated server whose answers carry the metadata that the caller wants to see again. It stands around the server
/// because a handler of tonic's cannot set trailers.
#[derive(Debug, Clone)]
pub struct EchoMetadata<S> {
    inner: S,
}

impl<S> EchoMetadata<S> {
    /// Around this server.
    pub fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S: NamedService> NamedService for EchoMetadata<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: ServerContract> ServerContract for EchoMetadata<S> {
    const POLICY: &'static ServicePolicy = S::POLICY;

    fn with_contract_limits(self) -> Self {
        Self::new(self.inner.with_contract_limits())
    }

    fn with_request_limit(self, bytes: usize) -> Self {
        Self::new(self.inner.with_request_limit(bytes))
    }
}

impl<S> Service<Request<Body>> for EchoMetadata<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let initial = request.headers().get(INITIAL).cloned();
        let trailing = request.headers().get(TRAILING).cloned();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            if let Some(initial) = initial {
                response.headers_mut().insert(INITIAL, initial);
            }
            Ok(match trailing {
                Some(trailing) => response.map(|inner| Body::new(Trailed { inner, trailing })),
                None => response,
            })
        })
    }
}

/// A body whose trailers carry one more value.
struct Trailed {
    inner: Body,
    trailing: HeaderValue,
}

impl http_body::Body for Trailed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_trailers() {
                Ok(trailers) => Frame::trailers(self.with(trailers)),
                Err(data) => data,
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }
}

impl Trailed {
    fn with(&self, mut trailers: HeaderMap) -> HeaderMap {
        trailers.insert(TRAILING, self.trailing.clone());
        trailers
    }
}
