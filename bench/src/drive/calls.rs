//! One call of each method, through whatever client.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use tonic::{Request, Status};

use crate::contract::v1::{
    ChatRequest, DownloadRequest, UnaryHedgedRequest, UnaryOnceRequest, UnaryPublicRequest,
    UnaryRequest, UnaryUncheckedRequest, UploadRequest,
};
use crate::order::Call;
use crate::stack::{Bare, BareWithHeaders, Ours};

/// What names the request: as long as a resource's name is.
const NAME: &str = "transcriptions/0198c0de-0000-7000-8000-00000000abcd";
const PAGE_SIZE: i32 = 50;

/// A client of the contract.
pub(super) trait Calls: Clone + Send + 'static {
    /// Makes one call, which ends when everything is received; checks what came.
    fn call(
        &mut self,
        call: Call,
        payload: &Bytes,
        messages: u32,
    ) -> impl Future<Output = Result<(), Status>> + Send;

    /// Makes one small unary call that may take so long.
    fn within(&mut self, timeout: Duration) -> impl Future<Output = Result<(), Status>> + Send;
}

fn check(expect: usize, got: usize) -> Result<(), Status> {
    if expect == got {
        Ok(())
    } else {
        let what = format!("{expect} were expected and {got} came");
        Err(Status::data_loss(what))
    }
}

macro_rules! unary {
    ($client:ident, $method:ident, $request:ident, $payload:ident) => {{
        let request = $request {
            name: NAME.to_owned(),
            page_size: PAGE_SIZE,
            payload: $payload.clone(),
        };
        let answer = $client.$method(request).await?.into_inner();
        check($payload.len(), answer.payload.len())
    }};
}

macro_rules! calls {
    ($client:ty) => {
        impl Calls for $client {
            async fn call(
                &mut self,
                call: Call,
                payload: &Bytes,
                messages: u32,
            ) -> Result<(), Status> {
                let count = messages as usize;
                match call {
                    Call::Unary => unary!(self, unary, UnaryRequest, payload),
                    Call::UnaryOnce => unary!(self, unary_once, UnaryOnceRequest, payload),
                    Call::UnaryHedged => unary!(self, unary_hedged, UnaryHedgedRequest, payload),
                    Call::UnaryPublic => unary!(self, unary_public, UnaryPublicRequest, payload),
                    Call::UnaryUnchecked => {
                        unary!(self, unary_unchecked, UnaryUncheckedRequest, payload)
                    }
                    Call::Download => {
                        let request = DownloadRequest {
                            messages: i32::try_from(messages).unwrap_or(i32::MAX),
                            payload: payload.clone(),
                        };
                        let mut answers = self.download(request).await?.into_inner();
                        let mut came = 0;
                        while let Some(answer) = answers.message().await? {
                            check(payload.len(), answer.payload.len())?;
                            came += 1;
                        }
                        check(count, came)
                    }
                    Call::Upload => {
                        let payload = payload.clone();
                        let requests = (0..messages).map(move |_| UploadRequest {
                            payload: payload.clone(),
                        });
                        let answer = self
                            .upload(tokio_stream::iter(requests))
                            .await?
                            .into_inner();
                        check(count, usize::try_from(answer.messages).unwrap_or_default())
                    }
                    Call::Chat => {
                        let (ask, asked) = tokio::sync::mpsc::channel(1);
                        let request = || ChatRequest {
                            name: NAME.to_owned(),
                            page_size: PAGE_SIZE,
                            payload: payload.clone(),
                        };
                        let asked = tokio_stream::wrappers::ReceiverStream::new(asked);
                        let mut answers = self.chat(asked).await?.into_inner();
                        for _ in 0..messages {
                            // Where the other end is gone, the answer says why.
                            let _gone = ask.send(request()).await;
                            let came = answers.message().await?.map(|answer| answer.payload.len());
                            check(payload.len(), came.unwrap_or_default())?;
                        }
                        drop(ask);
                        let more = answers.message().await?.is_some();
                        check(0, usize::from(more))
                    }
                }
            }

            async fn within(&mut self, timeout: Duration) -> Result<(), Status> {
                let mut request = Request::new(UnaryRequest {
                    name: NAME.to_owned(),
                    page_size: PAGE_SIZE,
                    payload: Bytes::from_static(&[7; 64]),
                });
                request.set_timeout(timeout);
                let answer = self.unary(request).await?.into_inner();
                check(64, answer.payload.len())
            }
        }
    };
}

calls!(Bare);
calls!(BareWithHeaders);
calls!(Ours);
