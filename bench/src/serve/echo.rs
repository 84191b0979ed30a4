//! The handler, which does as little as it can.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status, Streaming};

use crate::contract::v1::{
    ChatRequest, ChatResponse, DownloadRequest, DownloadResponse, UnaryHedgedRequest,
    UnaryHedgedResponse, UnaryOnceRequest, UnaryOnceResponse, UnaryPublicRequest,
    UnaryPublicResponse, UnaryRequest, UnaryResponse, UnaryUncheckedRequest,
    UnaryUncheckedResponse, UploadRequest, UploadResponse,
};
use crate::contract::{bare, v1};

/// Sends back what it gets, and counts calls.
#[derive(Debug, Clone)]
pub(super) struct Echo {
    calls: Arc<AtomicU64>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Echo {
    pub(super) fn new(calls: Arc<AtomicU64>) -> Self {
        Self { calls }
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// The same handler for both generations of the service.
macro_rules! serve {
    ($generation:ident) => {
        #[tonic::async_trait]
        impl $generation::bench_service_server::BenchService for Echo {
            async fn unary(
                &self,
                request: Request<UnaryRequest>,
            ) -> Result<Response<UnaryResponse>, Status> {
                self.count();
                let payload = request.into_inner().payload;
                Ok(Response::new(UnaryResponse { payload }))
            }

            async fn unary_once(
                &self,
                request: Request<UnaryOnceRequest>,
            ) -> Result<Response<UnaryOnceResponse>, Status> {
                self.count();
                let payload = request.into_inner().payload;
                Ok(Response::new(UnaryOnceResponse { payload }))
            }

            async fn unary_hedged(
                &self,
                request: Request<UnaryHedgedRequest>,
            ) -> Result<Response<UnaryHedgedResponse>, Status> {
                self.count();
                let payload = request.into_inner().payload;
                Ok(Response::new(UnaryHedgedResponse { payload }))
            }

            async fn unary_public(
                &self,
                request: Request<UnaryPublicRequest>,
            ) -> Result<Response<UnaryPublicResponse>, Status> {
                self.count();
                let payload = request.into_inner().payload;
                Ok(Response::new(UnaryPublicResponse { payload }))
            }

            async fn unary_unchecked(
                &self,
                request: Request<UnaryUncheckedRequest>,
            ) -> Result<Response<UnaryUncheckedResponse>, Status> {
                self.count();
                let payload = request.into_inner().payload;
                Ok(Response::new(UnaryUncheckedResponse { payload }))
            }

            type DownloadStream = Answers<DownloadResponse>;

            async fn download(
                &self,
                request: Request<DownloadRequest>,
            ) -> Result<Response<Self::DownloadStream>, Status> {
                self.count();
                let DownloadRequest { messages, payload } = request.into_inner();
                let answers = (0..messages).map(move |_| {
                    Ok(DownloadResponse {
                        payload: payload.clone(),
                    })
                });
                Ok(Response::new(stream::iter(answers).boxed()))
            }

            async fn upload(
                &self,
                request: Request<Streaming<UploadRequest>>,
            ) -> Result<Response<UploadResponse>, Status> {
                self.count();
                let mut sent = request.into_inner();
                let mut messages = 0;
                while let Some(UploadRequest { payload: _ }) = sent.message().await? {
                    messages += 1;
                }
                Ok(Response::new(UploadResponse { messages }))
            }

            type ChatStream = Answers<ChatResponse>;

            async fn chat(
                &self,
                request: Request<Streaming<ChatRequest>>,
            ) -> Result<Response<Self::ChatStream>, Status> {
                self.count();
                let answers = request.into_inner().map(|asked| {
                    let payload = asked?.payload;
                    Ok(ChatResponse { payload })
                });
                Ok(Response::new(answers.boxed()))
            }
        }
    };
}

serve!(bare);
serve!(v1);
