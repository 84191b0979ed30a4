//! The handler. Requests are valid and callers are known when they come here.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, stream};
use scribemed_rpc::Fault;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::v1::greeter_service_server::GreeterService;
use crate::v1::{
    ChatRequest, ChatResponse, CountDownRequest, CountDownResponse, GreetAllRequest,
    GreetAllResponse, SayGoodbyeRequest, SayGoodbyeResponse, SayHelloRequest, SayHelloResponse,
};

/// Greets whoever is named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Greeter;

/// A stream of answers.
pub type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl GreeterService for Greeter {
    async fn say_hello(
        &self,
        request: Request<SayHelloRequest>,
    ) -> Result<Response<SayHelloResponse>, Status> {
        let text = greet(&request.into_inner().name)?;
        Ok(Response::new(SayHelloResponse { text }))
    }

    type CountDownStream = Answers<CountDownResponse>;

    async fn count_down(
        &self,
        request: Request<CountDownRequest>,
    ) -> Result<Response<Self::CountDownStream>, Status> {
        let numbers = (0..=request.into_inner().from).rev();
        let answers = stream::iter(numbers.map(|number| Ok(CountDownResponse { number })));
        Ok(Response::new(answers.boxed()))
    }

    async fn greet_all(
        &self,
        request: Request<Streaming<GreetAllRequest>>,
    ) -> Result<Response<GreetAllResponse>, Status> {
        let mut names = request.into_inner();
        let mut greetings = Vec::new();
        while let Some(GreetAllRequest { name }) = names.message().await? {
            greetings.push(greet(&name)?);
        }
        let text = greetings.join(" ");
        Ok(Response::new(GreetAllResponse { text }))
    }

    type ChatStream = Answers<ChatResponse>;

    async fn chat(
        &self,
        request: Request<Streaming<ChatRequest>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let answers = request
            .into_inner()
            .map(|asked| greet(&asked?.name).map(|text| ChatResponse { text }));
        Ok(Response::new(answers.boxed()))
    }

    async fn say_goodbye(
        &self,
        request: Request<SayGoodbyeRequest>,
    ) -> Result<Response<SayGoodbyeResponse>, Status> {
        let caller = scribemed_server::principal(&request)?;
        let text = format!(
            "{} says: goodbye, {}.",
            caller.service(),
            request.get_ref().name
        );
        Ok(Response::new(SayGoodbyeResponse { text }))
    }
}

fn greet(name: &str) -> Result<String, Status> {
    if name == "nobody" {
        return Err(Fault::new(
            Code::NotFound,
            "NOBODY_THERE",
            "greeter.scribemed",
            "nobody is there to be greeted; give the name of somebody",
        )
        .into_status());
    }
    Ok(format!("Hello, {name}."))
}
