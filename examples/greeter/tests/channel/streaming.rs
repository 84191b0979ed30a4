//! Streamed responses, and both ways at once.

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::support::{CONTRACT, channel_with, client, ms, over, reason, report, request, soon};

#[tokio::test(start_paused = true)]
async fn messages_go_back_and_forth() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::PingPong);
    let (say, words) = mpsc::unbounded_channel();
    let words = UnboundedReceiverStream::new(words);
    // The head comes with nothing said yet.
    let mut heard = soon(client(&net).chat(words)).await.unwrap().into_inner();
    for number in 0..100 {
        say.send(request(&number.to_string())).unwrap();
        let answer = soon(heard.message()).await.unwrap().unwrap();
        assert_eq!(answer.id, number.to_string());
    }
    drop(say);
    assert!(soon(heard.message()).await.unwrap().is_none());
    peer.until(|log| log.calls[0].complete).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_as_the_service_says() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    for (answer, messages, code) in [
        (Answer::Messages(3, Code::Ok), 3, None),
        (Answer::Messages(0, Code::Ok), 0, None),
        // An empty stream may be said so in one header block.
        (Answer::OkInHead, 0, None),
        (Answer::Messages(2, Code::NotFound), 2, Some(Code::NotFound)),
        (Answer::MessagesThenReset(2, h2::Reason::INTERNAL_ERROR), 2, Some(Code::Internal)),
        (Answer::MessagesThenReset(1, h2::Reason::CANCEL), 1, Some(Code::Cancelled)),
        (Answer::Fail(Code::NotFound), 0, Some(Code::NotFound)),
    ] {
        peer.next([answer.clone()]);
        let mut seen = 0;
        let end = async {
            let mut stream = over(&channel).flaky_stream(request("a")).await?.into_inner();
            while stream.message().await?.is_some() {
                seen += 1;
            }
            Ok(())
        };
        let end: Result<(), tonic::Status> = soon(end).await;
        assert_eq!((seen, end.as_ref().err().map(tonic::Status::code)), (messages, code), "{answer:?}: {end:?}");
        if let Err(status) = end {
            assert_eq!(report(&status).attempts(), 1);
        }
    }
    assert_eq!(channel.status().endpoints[0].pending, 0);
    assert_eq!(channel.status().endpoints[0].failures, 1);
}

/// A reader that takes nothing slows the sender down.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_sender_back() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::Flood);
    let mut stream = client(&net).flaky_stream(request("a")).await.unwrap().into_inner();
    let flooded = || peer.log().flooded;
    let settle = async || {
        let mut last = 0;
        while flooded() != last {
            last = flooded();
            tokio::time::sleep(ms(10)).await;
        }
        last
    };
    // Its window: 2 MiB.
    let first = settle().await;
    assert!((1 << 21..3 << 20).contains(&first), "{first}");
    for _ in 0..256 {
        soon(stream.message()).await.unwrap().unwrap();
    }
    // 4 MiB later.
    let second = settle().await - first;
    assert!((3 << 20..5 << 20).contains(&second), "{second}");
    drop(stream);
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL)).await;
}

/// A stream that nobody reads does not stand in the way of another on its connection.
#[tokio::test(start_paused = true)]
async fn a_reader_that_stands_still_does_not_hold_up_others() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Flood, Answer::Flood]);
    let client = client(&net);
    let idle = (
        client.clone().flaky_stream(request("a")).await.unwrap(),
        client.clone().flaky_stream(request("b")).await.unwrap(),
    );
    tokio::time::sleep(ms(100)).await;
    for _ in 0..10 {
        soon(client.clone().flaky_once(request("c"))).await.unwrap();
    }
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_response_resets_the_stream() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    peer.always(Answer::MessagesThenNever(1));
    let mut stream = over(&channel).flaky_stream(request("a")).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    assert_eq!(channel.status().endpoints[0].pending, 1);
    drop(stream);
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL)).await;
    assert_eq!(channel.status().endpoints[0].pending, 0);
    assert_eq!(channel.status().endpoints[0].failures, 0);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_a_stream_in_the_middle() {
    let (net, [peer]) = Net::of();
    for answer in [Answer::MessagesThenNever(2), Answer::Flood] {
        peer.next([answer.clone()]);
        let begun = Instant::now();
        let mut stream = client(&net).flaky_stream(request("a")).await.unwrap().into_inner();
        let status = loop {
            match stream.message().await {
                Ok(Some(_)) => tokio::time::sleep(ms(1)).await,
                Ok(None) => panic!("it has no end"),
                Err(status) => break status,
            }
        };
        assert_eq!(status.code(), Code::DeadlineExceeded);
        let took = begun.elapsed();
        assert!((ms(5_000)..ms(5_003)).contains(&took), "{answer:?} {took:?}");
        assert_eq!(report(&status).endpoint(), Some("10.0.0.1:50052"));
        let call = peer.count() - 1;
        peer.until(|log| log.calls[call].reset == Some(h2::Reason::CANCEL)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_the_call_that_reads_it() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::MessagesThenNever(1));
    let context = scribemed_rpc::CallContext::background();
    let over = context.clone();
    let mut client = client(&net);
    let reading = tokio::spawn(context.scope(async move {
        let mut stream = client.flaky_stream(request("a")).await?.into_inner();
        while stream.message().await?.is_some() {}
        Ok::<_, tonic::Status>(())
    }));
    peer.until(|log| log.calls.len() == 1).await;
    tokio::time::sleep(ms(100)).await;
    over.cancel();
    let status = soon(reading).await.unwrap().unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Cancelled, "CANCELLED"));
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL)).await;
}
