//! Peers that do not speak as they should: the right code, the endpoint charged, and life goes on.

use tonic::Code;

use crate::answer::Answer;
use crate::net::Net;
use crate::peer::{Command, Door};
use crate::raw::{REPEATED, Raw, Then, frame};
use crate::support::{CONTRACT, channel_with, client, client_with, config, contract, contract_of, error, id, ms, over, reason, report, request, soon};

#[tokio::test(start_paused = true)]
async fn what_is_no_http2_is_not_called() {
    for (door, said) in [
        (Door::Says(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"), "does not speak HTTP/2"),
        (Door::Says(b"SSH-2.0-OpenSSH_9.6\r\n"), "HTTP/2"),
        (Door::Says(&[0xff; 4096]), "HTTP/2"),
        (Door::Says(&[0; 4096]), "HTTP/2"),
        (Door::Slammed, "closed the connection"),
        (Door::Refused, "refused"),
    ] {
        let (net, [bad]) = Net::of();
        bad.door(door.clone());
        let channel = channel_with(&net, CONTRACT, |_| {});
        let status = error(over(&channel).flaky_once(request("a")).await);
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "UNREACHABLE"));
        assert!(status.message().contains(said), "{}", status.message());
        assert!(!report(&status).may_have_been_sent());
        let endpoint = channel.status().endpoints.remove(0);
        assert_eq!(endpoint.state, "transient_failure");
        assert!(endpoint.last_failure.unwrap().contains(said));

        // Beside a good one it does no harm.
        let good = net.add();
        let mut both = client(&net);
        for _ in 0..20 {
            both.flaky_once(request("b")).await.unwrap();
        }
        assert_eq!((bad.count(), good.count()), (0, 20));
    }
}

#[tokio::test(start_paused = true)]
async fn rubbish_in_the_middle_ends_the_connection() {
    let rubbish: [fn(u32) -> Vec<u8>; 6] = [
        // DATA without a stream; HEADERS that HPACK cannot read; a frame that is too large; a window that overflows;
        // HEADERS of a stream that was never opened; no frames at all.
        |_| frame(0, 0, 0, b"x"),
        |stream| frame(1, 4, stream, &[0xff; 40]),
        |stream| frame(0, 0, stream, &[0; 20_000]),
        |_| [frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff]), frame(8, 0, 0, &[0x7f, 0xff, 0xff, 0xff])].concat(),
        |_| frame(1, 4, 1_001, &[0x88]),
        |_| b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
    ];
    for (number, write) in rubbish.into_iter().enumerate() {
        let (net, [peer]) = Net::of();
        let channel = channel_with(&net, CONTRACT, |config| config.health = false);
        peer.door(Door::Raw(Raw::new(Then::GoOn, write)));
        let mut bad = over(&channel);
        let call = tokio::spawn(async move { bad.flaky_once(request("a")).await });
        peer.until(|log| log.calls.len() == 1).await;
        peer.door(Door::Open);
        let status = error(soon(call).await.unwrap());
        assert!(
            matches!(status.code(), Code::Unavailable | Code::Internal),
            "{number}: {status:?}"
        );
        assert!(report(&status).may_have_been_sent(), "{number}");
        assert_eq!(report(&status).attempts(), 1);
        assert_eq!(channel.status().endpoints[0].failures, 1, "{number}");
        assert_eq!(id(over(&channel).flaky_once(request("b")).await.unwrap()), "b");
    }
}

/// Headers without an end are not collected without an end.
#[tokio::test(start_paused = true)]
async fn endless_headers_are_cut_off() {
    // A header of 4,096 bytes in HPACK: literal, name `x`, 4,090 bytes of value.
    let mut header = vec![0, 1, b'x', 0x7f, 0xfb, 0x1e];
    header.extend([b'v'; 4090]);
    assert_eq!(header.len() + 9, REPEATED);
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |config| config.health = false);
    peer.door(Door::Raw(Raw::new(Then::Repeat, move |stream| {
        [frame(1, 0, stream, &[0x88]), frame(9, 0, stream, &header)].concat()
    })));
    let mut bad = over(&channel);
    let call = tokio::spawn(async move { bad.flaky_once(request("a")).await });
    peer.until(|log| log.calls.len() == 1).await;
    peer.door(Door::Open);
    let status = error(soon(call).await.unwrap());
    assert!(matches!(status.code(), Code::Unavailable | Code::Internal), "{status:?}");
    assert!(peer.log().flooded < 2 << 20, "{}", peer.log().flooded);
    assert_eq!(id(over(&channel).flaky_once(request("b")).await.unwrap()), "b");
}

#[tokio::test(start_paused = true)]
async fn too_many_headers_are_an_error_of_the_service() {
    let (net, [peer]) = Net::of();
    let channel = channel_with(&net, CONTRACT, |_| {});
    // 16 KiB are taken.
    peer.next([Answer::HugeHead(12_000), Answer::Echo]);
    assert_eq!(id(over(&channel).flaky(request("a")).await.unwrap()), "a");
    peer.next([Answer::HugeHead(20_000)]);
    let status = error(over(&channel).flaky(request("b")).await);
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    assert_eq!(peer.count(), 3, "it would be the same again");
    assert!(report(&status).may_have_been_sent());
    assert_eq!(channel.status().endpoints[0].failures, 2);
    // The connection is good for others.
    over(&channel).flaky(request("c")).await.unwrap();
    assert_eq!(peer.log().dials.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_above_the_limit_is_cut_off_at_its_prefix() {
    let small = contract_of("FlakyOnce", |method| method.max_response_bytes = 100);
    for (contract, answer) in [
        (small, Answer::Size(200)),
        (small, Answer::Promise(101)),
        (CONTRACT, Answer::Promise(4 * 1024 * 1024 + 1)),
        (CONTRACT, Answer::Promise(u32::MAX)),
    ] {
        let (net, [peer]) = Net::of();
        let channel = channel_with(&net, contract, |_| {});
        peer.next([answer.clone()]);
        let status = error(soon(over(&channel).flaky_once(request("a"))).await);
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::ResourceExhausted, "RESPONSE_TOO_LARGE"),
            "{answer:?}"
        );
        assert!(report(&status).may_have_been_sent());
        assert_eq!(channel.status().endpoints[0].failures, 1);
        if matches!(answer, Answer::Promise(_)) {
            peer.until(|log| log.calls[0].reset == Some(h2::Reason::CANCEL)).await;
        }
        over(&channel).flaky_once(request("b")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_status_is_unknown() {
    for answer in [
        Answer::NoTrailers,
        Answer::NoStatus,
        Answer::Trailers("grpc-status", "99"),
        Answer::Trailers("grpc-status", "soon"),
        Answer::Trailers("grpc-status", ""),
    ] {
        let (net, [peer]) = Net::of();
        let channel = channel_with(&net, CONTRACT, |_| {});
        peer.next([answer.clone()]);
        let status = error(over(&channel).flaky(request("a")).await);
        assert_eq!((status.code(), peer.count()), (Code::Unknown, 1), "{answer:?}");
        let report = report(&status);
        assert_eq!((report.attempts(), report.may_have_been_sent()), (1, true));
        assert_eq!(channel.status().endpoints[0].failures, 1, "{answer:?}");
        over(&channel).flaky(request("b")).await.unwrap();
    }
}

/// tonic would panic.
#[tokio::test(start_paused = true)]
async fn details_that_are_no_base64_do_no_harm() {
    for details in ["%%%", "a", "AAAA=AAA", "\u{7f}"] {
        let (net, [peer]) = Net::of();
        let mut client = client(&net);
        let details_of = |name: &'static str| Answer::FailWith(Code::NotFound, vec![(name, details.to_owned())]);
        if details != "\u{7f}" {
            peer.next([details_of("grpc-status-details-bin")]);
            assert_eq!(error(client.flaky(request("a")).await).code(), Code::NotFound);
        }
        peer.next([Answer::Trailers("grpc-status-details-bin", "%%%")]);
        let status = error(client.flaky(request("a")).await);
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.details().is_empty());
    }
}

/// http-grpc-status-mapping of gRPC.
#[tokio::test(start_paused = true)]
async fn an_answer_of_plain_http_has_the_code_that_fits() {
    for (status, code, charged) in [
        (200, Code::Unknown, 1),
        (400, Code::Internal, 1),
        (401, Code::Unauthenticated, 0),
        (403, Code::PermissionDenied, 0),
        // There is something else behind the address.
        (404, Code::Unimplemented, 1),
        (429, Code::Unavailable, 1),
        (500, Code::Unknown, 1),
        (502, Code::Unavailable, 1),
        (503, Code::Unavailable, 1),
        (504, Code::Unavailable, 1),
    ] {
        let (net, [peer]) = Net::of();
        let channel = channel_with(&net, CONTRACT, |_| {});
        peer.next([Answer::Http(status, "text/html")]);
        let failed = error(over(&channel).flaky_once(request("a")).await);
        assert_eq!(
            (failed.code(), reason(&failed).as_str()),
            (code, "BROKEN_RESPONSE"),
            "{status}"
        );
        let said = if status == 200 { "text/html".to_owned() } else { status.to_string() };
        assert!(failed.message().contains(&said), "{}", failed.message());
        assert!(report(&failed).may_have_been_sent());
        assert_eq!(channel.status().endpoints[0].failures, charged, "{status}");
        // What is UNAVAILABLE is retried where that is harmless.
        peer.next([Answer::Http(status, "text/html")]);
        let again = over(&channel).flaky(request("b")).await;
        assert_eq!(again.is_ok(), code == Code::Unavailable, "{status}");
    }
}

/// The report of an error holds what a peer said, and a header cannot hold everything.
#[tokio::test(start_paused = true)]
async fn what_a_peer_says_is_made_fit_for_a_header() {
    let (net, [peer]) = Net::of();
    peer.always(Answer::FailWith(Code::Unavailable, vec![("x-note", "n".repeat(500))]));
    let status = error(client(&net).flaky(request("a")).await);
    assert_eq!(report(&status).attempts(), 3);
    // A peer cannot forge one.
    peer.always(Answer::FailWith(
        Code::NotFound,
        vec![("x-call-attempts", "0".into()), ("x-call-sent", "no".into()), ("x-call-target", "evil".into())],
    ));
    let status = error(client(&net).flaky(request("a")).await);
    let report = report(&status);
    assert_eq!((report.attempts(), report.may_have_been_sent()), (1, true));
    assert_eq!(report.target(), net.target().to_string());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_breaks_off_again_and_again_does_not_keep_the_client_busy() {
    let (net, [peer]) = Net::of();
    let mut client = client_with(&net, CONTRACT, |config| config.health = false);
    let begun = tokio::time::Instant::now();
    for _ in 0..20 {
        client.flaky_once(request("a")).await.unwrap();
        peer.command(Command::Close);
        let open = peer.log().dials.len();
        peer.until(|log| log.dials.len() > open).await;
    }
    // 250 ms apart.
    assert!(begun.elapsed() > ms(20 * 190), "{:?}", begun.elapsed());
}
