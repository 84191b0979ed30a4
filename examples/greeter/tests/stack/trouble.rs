//! The troublemaker.

use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, stream};
use greeter::greeter::Answers;
use greeter::v1::fail_request::Way;
use greeter::v1::trouble_service_client::TroubleServiceClient;
use greeter::v1::trouble_service_server::TroubleService;
use greeter::v1::{
    CollectResponse, FailRequest, Hop, RelayRequest, RelayResponse, SendManyRequest,
    SendPictureRequest, TroubleRequest, TroubleResponse,
};
use scribemed_client::Channel;
use scribemed_rpc::{CallContext, Deadline};
use tokio::sync::{Semaphore, mpsc};
use tonic::{Request, Response, Status, Streaming};

/// What happens to a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// It was called.
    Entered(&'static str),
    /// It came to its end.
    Completed(&'static str),
    /// It, or its stream, was dropped.
    Dropped(&'static str),
}

/// Tells when it is dropped.
struct Guard(mpsc::UnboundedSender<Event>, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        // Nobody listens any more when the test is over.
        let _ = self.0.send(Event::Dropped(self.1));
    }
}

pub(crate) struct Trouble {
    events: mpsc::UnboundedSender<Event>,
    gate: Arc<Semaphore>,
    next: Option<TroubleServiceClient<Channel>>,
}

impl Trouble {
    pub(crate) fn new(
        events: mpsc::UnboundedSender<Event>,
        gate: Arc<Semaphore>,
        next: Option<TroubleServiceClient<Channel>>,
    ) -> Self {
        Self { events, gate, next }
    }

    fn tell(&self, event: Event) {
        self.events.send(event).unwrap();
    }

    fn enter(&self, method: &'static str) -> Guard {
        self.tell(Event::Entered(method));
        Guard(self.events.clone(), method)
    }
}

fn answer() -> TroubleResponse {
    TroubleResponse {
        id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
    }
}

fn fail(way: Way) -> Result<TroubleResponse, Status> {
    match way {
        Way::Unspecified => Ok(answer()),
        Way::Panic => panic!("it was told to"),
        Way::Bare => Err(Status::not_found("bare of details")),
        Way::Invalid => Ok(TroubleResponse {
            id: "no id".to_owned(),
        }),
        Way::Verbose => Err(Status::internal("ä".repeat(100_000))),
    }
}

/// `items`, with a guard that lives as long.
fn guarded<T: Send + 'static>(
    guard: Guard,
    items: impl Stream<Item = Result<T, Status>> + Send + 'static,
) -> Response<Answers<T>> {
    let items = items.map(move |item| {
        let _ = &guard;
        item
    });
    Response::new(items.boxed())
}

#[tonic::async_trait]
impl TroubleService for Trouble {
    async fn hang(&self, _: Request<TroubleRequest>) -> Result<Response<TroubleResponse>, Status> {
        let _guard = self.enter("Hang");
        std::future::pending().await
    }

    async fn hang_long(
        &self,
        _: Request<TroubleRequest>,
    ) -> Result<Response<TroubleResponse>, Status> {
        let _guard = self.enter("HangLong");
        std::future::pending().await
    }

    type HangMidwayStream = Answers<TroubleResponse>;

    async fn hang_midway(
        &self,
        _: Request<TroubleRequest>,
    ) -> Result<Response<Self::HangMidwayStream>, Status> {
        let once = stream::iter([Ok(answer())]).chain(stream::pending());
        Ok(guarded(self.enter("HangMidway"), once))
    }

    type ChatterStream = Answers<TroubleResponse>;

    async fn chatter(
        &self,
        _: Request<TroubleRequest>,
    ) -> Result<Response<Self::ChatterStream>, Status> {
        Ok(guarded(
            self.enter("Chatter"),
            stream::repeat_with(|| Ok(answer())),
        ))
    }

    async fn gate(&self, _: Request<TroubleRequest>) -> Result<Response<TroubleResponse>, Status> {
        let _guard = self.enter("Gate");
        self.gate.acquire().await.unwrap().forget();
        Ok(Response::new(answer()))
    }

    async fn fail(
        &self,
        request: Request<FailRequest>,
    ) -> Result<Response<TroubleResponse>, Status> {
        self.tell(Event::Entered("Fail"));
        if let Some(next) = &self.next {
            return next.clone().fail(request.into_inner()).await;
        }
        fail(request.get_ref().way()).map(Response::new)
    }

    type FailMidwayStream = Answers<TroubleResponse>;

    async fn fail_midway(
        &self,
        request: Request<FailRequest>,
    ) -> Result<Response<Self::FailMidwayStream>, Status> {
        if let Some(next) = &self.next {
            let answers = next.clone().fail_midway(request.into_inner()).await?;
            return Ok(Response::new(answers.into_inner().boxed()));
        }
        let way = request.get_ref().way();
        let answers = stream::iter([Ok(answer())]).chain(stream::once(async move { fail(way) }));
        Ok(guarded(self.enter("FailMidway"), answers))
    }

    async fn collect(
        &self,
        request: Request<Streaming<SendPictureRequest>>,
    ) -> Result<Response<CollectResponse>, Status> {
        let _guard = self.enter("Collect");
        let mut pictures = request.into_inner();
        let mut count = 0;
        while pictures.message().await?.is_some() {
            self.tell(Event::Entered("Collect: a picture"));
            count += 1;
        }
        self.tell(Event::Completed("Collect"));
        Ok(Response::new(CollectResponse { count }))
    }

    async fn send_picture(
        &self,
        _: Request<SendPictureRequest>,
    ) -> Result<Response<TroubleResponse>, Status> {
        let _guard = self.enter("SendPicture");
        Ok(Response::new(answer()))
    }

    async fn send_many(
        &self,
        _: Request<SendManyRequest>,
    ) -> Result<Response<TroubleResponse>, Status> {
        Ok(Response::new(answer()))
    }

    async fn relay(
        &self,
        request: Request<RelayRequest>,
    ) -> Result<Response<RelayResponse>, Status> {
        let RelayRequest {
            hops: left,
            spawned,
            hang,
        } = request.into_inner();
        let _guard = self.enter(if left > 0 { "Relay" } else { "Relay: last" });
        let context = CallContext::current().ok_or_else(|| Status::internal("no context"))?;
        let remaining = context.deadline().map(Deadline::remaining);
        let mut hops = vec![Hop {
            request_id: context.request_id().to_string(),
            traceparent: context.trace().to_string(),
            remaining_micros: remaining.map_or(-1, |left| left.as_micros().try_into().unwrap()),
        }];
        if left > 0 {
            let mut next = self.next.clone().expect("a next one");
            let call = async move {
                let hops = left - 1;
                next.relay(RelayRequest {
                    hops,
                    spawned,
                    hang,
                })
                .await
            };
            let further = if spawned {
                tokio::spawn(context.scope(call)).await.unwrap()?
            } else {
                call.await?
            };
            hops.extend(further.into_inner().hops);
        } else if hang {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(RelayResponse { hops }))
    }

    async fn fade(&self, _: Request<TroubleRequest>) -> Result<Response<TroubleResponse>, Status> {
        Ok(Response::new(answer()))
    }

    async fn guarded(
        &self,
        _: Request<TroubleRequest>,
    ) -> Result<Response<TroubleResponse>, Status> {
        Ok(Response::new(answer()))
    }
}
