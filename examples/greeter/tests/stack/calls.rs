//! Each kind of call, as it should be.

use greeter::v1::greeter_service_client::GreeterServiceClient;
use greeter::v1::{
    ChatRequest, CountDownRequest, GreetAllRequest, SayGoodbyeRequest, SayHelloRequest,
};
use scribemed_rpc::ClientContract as _;
use tokio_stream::StreamExt as _;

use crate::support::{reason, start};

fn named(name: &str) -> String {
    name.to_owned()
}

#[tokio::test]
async fn each_kind_of_call_works() {
    let server = start().await;
    let mut greeter = server.greeter();
    let name = named("Ada");
    let hello = greeter.say_hello(SayHelloRequest { name }).await.unwrap();
    assert_eq!(hello.into_inner().text, "Hello, Ada.");

    let numbers = greeter
        .count_down(CountDownRequest { from: 3 })
        .await
        .unwrap();
    let numbers: Vec<i32> = numbers
        .into_inner()
        .map(|n| n.unwrap().number)
        .collect()
        .await;
    assert_eq!(numbers, [3, 2, 1, 0]);

    let names =
        tokio_stream::iter(["Ada", "Alan"]).map(|name| GreetAllRequest { name: named(name) });
    let all = greeter.greet_all(names).await.unwrap();
    assert_eq!(all.into_inner().text, "Hello, Ada. Hello, Alan.");

    let (names, asked) = tokio::sync::mpsc::channel(1);
    let asked = tokio_stream::wrappers::ReceiverStream::new(asked);
    let mut greetings = greeter.chat(asked).await.unwrap().into_inner();
    for name in ["Grace", "Edsger"] {
        names.send(ChatRequest { name: named(name) }).await.unwrap();
        let greeting = greetings.message().await.unwrap().unwrap();
        assert_eq!(greeting.text, format!("Hello, {name}."));
    }
    drop(names);
    assert_eq!(greetings.message().await.unwrap(), None);
}

#[tokio::test]
async fn a_caller_with_the_permission_is_known_to_the_handler() {
    let server = start().await;
    let mut greeter = GreeterServiceClient::over(server.channel_with(&["say:goodbyes"]));
    let request = SayGoodbyeRequest { name: named("Ada") };
    let goodbye = greeter.say_goodbye(request).await.unwrap();
    assert_eq!(goodbye.into_inner().text, "tester says: goodbye, Ada.");
}

#[tokio::test]
async fn an_error_of_the_handler_arrives_as_it_was_made() {
    let server = start().await;
    let name = named("nobody");
    let error = server
        .greeter()
        .say_hello(SayHelloRequest { name })
        .await
        .unwrap_err();
    assert_eq!(error.code(), tonic::Code::NotFound);
    assert_eq!(reason(&error), "NOBODY_THERE");
    assert_eq!(
        error.message(),
        "nobody is there to be greeted; give the name of somebody"
    );
}
