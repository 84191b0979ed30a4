//! Streamed requests: sent again as a whole as long as they are kept, and no faster than the peer reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use greeter::v1::ResilienceRequest;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::support::{client, client_with, contract_of, error, id, ms, report, request, soon};

const REFUSED: Answer = Answer::Reset(h2::Reason::REFUSED_STREAM);

fn large(kilobytes: usize) -> ResilienceRequest {
    request(&"x".repeat(kilobytes * 1024))
}

/// A stream that is fed by hand.
fn fed() -> (mpsc::UnboundedSender<ResilienceRequest>, UnboundedReceiverStream<ResilienceRequest>) {
    let (feed, stream) = mpsc::unbounded_channel();
    (feed, UnboundedReceiverStream::new(stream))
}

#[tokio::test(start_paused = true)]
async fn all_messages_arrive_again_in_the_next_attempt() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::after(ms(50), Answer::Fail(Code::Unavailable)), REFUSED]);
    let (feed, stream) = fed();
    let mut client = client(&net);
    feed.send(request("one")).unwrap();
    let call = tokio::spawn(async move { client.flaky_upload(stream).await });
    peer.until(|log| log.calls.len() == 1 && log.calls[0].messages.len() == 1).await;
    feed.send(request("two")).unwrap();
    peer.until(|log| log.calls.len() == 3 && log.calls[2].messages.len() == 2).await;
    feed.send(request("three")).unwrap();
    drop(feed);
    assert_eq!(id(soon(call).await.unwrap().unwrap()), "three");
    let calls = peer.calls();
    assert_eq!(calls[0].messages, ["one", "two"]);
    assert_eq!(calls[2].messages, ["one", "two", "three"]);
    assert_eq!(calls[2].previous(), Some("1"));
    assert!(calls[2].complete);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_there_at_once_is_sent_again_too() {
    let (net, [peer]) = Net::of();
    peer.next([Answer::Fail(Code::Unavailable)]);
    let messages = tokio_stream::iter((0..10).map(|number| request(&number.to_string())));
    assert_eq!(id(client(&net).flaky_upload(messages).await.unwrap()), "9");
    assert_eq!(peer.calls()[1].messages.len(), 10);
}

/// gRFC A6: what outgrows the buffer of 256 KiB is committed.
#[tokio::test(start_paused = true)]
async fn a_stream_that_is_too_large_to_keep_is_sent_once() {
    // In many messages, and in two.
    for (count, size) in [(40, 10), (2, 200), (3, 300)] {
        for answer in [Answer::Fail(Code::Unavailable), REFUSED] {
            let (net, [peer]) = Net::of();
            peer.next([Answer::after(ms(500), answer.clone())]);
            let messages = tokio_stream::iter((0..count).map(move |_| large(size)));
            let status = error(client(&net).flaky_upload(messages).await);
            assert_eq!((status.code(), peer.count()), (Code::Unavailable, 1), "{count} of {size}");
            let report = report(&status);
            assert_eq!(report.attempts(), 1);
            // The caller is told whether it may send it again itself.
            let refused = matches!(answer, Answer::Reset(_));
            assert_eq!(report.may_have_been_sent(), !refused, "{answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_upload_arrives_whole() {
    let (net, [peer]) = Net::of();
    let messages = tokio_stream::iter((0..64).map(|_| large(64)));
    client(&net).flaky_upload(messages).await.unwrap();
    let seen = &peer.calls()[0];
    assert!(seen.complete);
    assert_eq!(seen.messages.len(), 64);
}

/// A caller that produces endlessly is held back by a peer that does not read.
#[tokio::test(start_paused = true)]
async fn the_source_is_read_no_faster_than_the_peer_reads() {
    let (net, [peer]) = Net::of();
    peer.settings(|settings| {
        settings.initial_window_size(64 * 1024);
    });
    peer.next([Answer::NeverReads]);
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let endless = tokio_stream::iter(std::iter::repeat_with(move || {
        counted.fetch_add(1, Relaxed);
        large(8)
    }));
    let mut client = client(&net);
    let call = tokio::spawn(async move { client.flaky_upload(endless).await });
    peer.until(|log| log.calls.len() == 1).await;
    // For the rest of its time.
    let status = error(soon(call).await.unwrap());
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let bytes = taken.load(Relaxed) * 8 * 1024;
    assert!((64 * 1024..256 * 1024).contains(&bytes), "{bytes}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_early_ends_the_upload() {
    for (answer, code) in [
        (Answer::Messages(1, Code::Ok), Code::Ok),
        (Answer::Fail(Code::InvalidArgument), Code::InvalidArgument),
        (Answer::HeadThen(Code::InvalidArgument), Code::InvalidArgument),
    ] {
        let (net, [peer]) = Net::of();
        peer.next([Answer::after(ms(50), answer)]);
        let (feed, stream) = fed();
        let mut client = client(&net);
        feed.send(request("one")).unwrap();
        let call = tokio::spawn(async move { client.flaky_upload(stream).await });
        let ended = soon(call).await.unwrap();
        assert_eq!(ended.map_or_else(|status| status.code(), |_| Code::Ok), code);
        // The caller's stream is let go.
        soon(feed.closed()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_an_upload_in_the_middle() {
    let (net, [peer]) = Net::of();
    let (feed, stream) = fed();
    let mut client = client(&net);
    feed.send(request("one")).unwrap();
    let call = tokio::spawn(async move { client.flaky_upload(stream).await });
    let status = error(soon(call).await.unwrap());
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(report(&status).may_have_been_sent());
    peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL)).await;
    soon(feed.closed()).await;
}

/// A message that cannot be sent ends the call with what is wrong, and the peer does not take half for the whole.
#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_ends_the_upload() {
    let (net, [peer]) = Net::of();
    let small = contract_of("FlakyUpload", |method| method.max_request_bytes = 100);
    let mut client = client_with(&net, small, |_| {}).max_encoding_message_size(1000);
    let (feed, stream) = fed();
    feed.send(request("one")).unwrap();
    let call = tokio::spawn(async move { client.flaky_upload(stream).await });
    peer.until(|log| log.calls.len() == 1 && log.calls[0].messages.len() == 1).await;
    feed.send(large(2)).unwrap();
    let status = error(soon(call).await.unwrap());
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    peer.until(|log| log.calls[0].reset.is_some()).await;
    assert!(!peer.calls()[0].complete);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_ends_without_a_message_is_one() {
    let (net, [peer]) = Net::of();
    let nothing = tokio_stream::iter(Vec::<ResilienceRequest>::new()).map(|message| message);
    client(&net).flaky_upload(nothing).await.unwrap();
    assert!(peer.calls()[0].complete);
    assert!(peer.calls()[0].messages.is_empty());
}
