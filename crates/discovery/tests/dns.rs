//! `DnsResolver` against real servers: dnsmasq for what a server says, and sockets of the test for what none should.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "dns/broken.rs"]
mod broken;
#[path = "dns/dnsmasq.rs"]
mod dnsmasq;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use scribemed_discovery::{
    Config, Discovery, DnsResolver, Resolution, Resolve, ResolveError, Target,
};

use broken::Broken;
use dnsmasq::Dnsmasq;

async fn ask(resolver: &DnsResolver, target: &str) -> Result<Resolution, ResolveError> {
    let target: Target = target.parse().unwrap();
    resolver.resolve(&target).await
}

fn texts(resolution: &Resolution) -> Vec<String> {
    resolution
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// A resolver that asks this server, and one for which the target has to name it.
fn resolver(server: SocketAddr) -> DnsResolver {
    DnsResolver::with_servers(&[server]).unwrap()
}

fn elsewhere() -> DnsResolver {
    resolver(SocketAddr::from((Ipv4Addr::LOCALHOST, 9)))
}

#[tokio::test]
async fn addresses_of_both_families_take_turns_and_hold_as_long_as_the_shortest() {
    let server = Dnsmasq::start(&[
        "--host-record=four.test,10.0.0.1,60",
        "--host-record=six.test,fd00::1,70",
        "--host-record=both.test,10.0.0.3,fd00::3,80",
        "--address=/many.test/10.0.1.2",
        "--address=/many.test/10.0.1.1",
        "--address=/many.test/fd00::2",
        "--address=/many.test/fd00::1",
        "--cname=alias.test,four.test,20",
    ]);
    for (host, expect, ttl) in [
        ("four.test", &["10.0.0.1:7"][..], 60),
        ("six.test", &["[fd00::1]:7"], 70),
        ("BOTH.test", &["[fd00::3]:7", "10.0.0.3:7"], 80),
        (
            "many.test",
            &["[fd00::1]:7", "10.0.1.1:7", "[fd00::2]:7", "10.0.1.2:7"],
            5,
        ),
        ("alias.test", &["10.0.0.1:7"], 20),
    ] {
        let by_target = ask(
            &elsewhere(),
            &format!("dns://{}/{host}:7", server.address()),
        )
        .await
        .unwrap();
        assert_eq!(texts(&by_target), expect, "{host}");
        assert_eq!(by_target.ttl, Some(Duration::from_secs(ttl)), "{host}");
        let own = ask(&resolver(server.address()), &format!("dns:///{host}:7"))
            .await
            .unwrap();
        assert_eq!(own, by_target);
    }
}

#[tokio::test]
async fn services_are_found_with_their_ports_and_the_lowest_priority_alone() {
    let server = Dnsmasq::start(&[
        "--host-record=a.test,10.0.0.1,60",
        "--host-record=b.test,10.0.0.2,fd00::2,40",
        "--host-record=spare.test,10.0.0.9,60",
        "--srv-host=_grpc._tcp.svc.test,a.test,1001,10,5",
        "--srv-host=_grpc._tcp.svc.test,b.test,1002,10,50",
        "--srv-host=_grpc._tcp.svc.test,a.test,1003,10,5",
        "--srv-host=_grpc._tcp.svc.test,spare.test,1009,20,90",
        "--srv-host=_gap._tcp.svc.test,a.test,1001,10,5",
        "--srv-host=_gap._tcp.svc.test,gone.test,1002,10,50",
        "--srv-host=_gone._tcp.svc.test,gone.test,1002,10,50",
        "--local-ttl=50",
    ]);
    let resolver = resolver(server.address());
    let found = ask(&resolver, "srv:///_grpc._tcp.svc.test").await.unwrap();
    // The heaviest first.
    assert_eq!(
        texts(&found),
        [
            "[fd00::2]:1002",
            "10.0.0.2:1002",
            "10.0.0.1:1001",
            "10.0.0.1:1003"
        ]
    );
    assert_eq!(found.ttl, Some(Duration::from_secs(40)));

    let found = ask(&resolver, "srv:///_gap._tcp.svc.test").await.unwrap();
    assert_eq!(texts(&found), ["10.0.0.1:1001"]);
    assert_eq!(
        found.ttl,
        Some(Duration::from_secs(10)),
        "what is missing is asked for again soon"
    );

    let error = ask(&resolver, "srv:///_gone._tcp.svc.test")
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(
        error
            .to_string()
            .contains("gone.test could not be looked up (A and AAAA"),
        "{error}"
    );

    let error = ask(&resolver, "srv:///_grpc._tcp.other.test")
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert!(
        error
            .to_string()
            .contains("_grpc._tcp.other.test could not be looked up (SRV"),
        "{error}"
    );

    let error = ask(&resolver, "srv:///a.test").await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("answer is empty"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_that_is_not_there_and_one_without_addresses_are_told_apart() {
    let server = Dnsmasq::start(&[
        "--host-record=a.test,10.0.0.1",
        "--txt-record=empty.test,text",
    ]);
    let source = format!("asking the DNS server {}", server.address());
    for (host, expect) in [
        ("gone.test", "there is no such name (NXDOMAIN)"),
        ("empty.test", "the answer is empty"),
    ] {
        let error = ask(&resolver(server.address()), &format!("dns:///{host}:7"))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(error.is_not_found() && !error.is_timeout(), "{text}");
        for part in [host, "A and AAAA", &source, expect] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
    }
    // dnsmasq has no server to ask for other domains.
    let error = ask(&resolver(server.address()), "dns:///auth.elsewhere:7")
        .await
        .unwrap_err();
    assert!(
        !error.is_not_found() && error.to_string().contains("REFUSED"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_too_long_for_a_datagram_comes_over_tcp() {
    let records: Vec<String> = (0..200)
        .map(|i| format!("--address=/large.test/10.0.2.{i}"))
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let server = Dnsmasq::start(&records);
    let found = ask(&resolver(server.address()), "dns:///large.test:7")
        .await
        .unwrap();
    assert_eq!(found.addresses.len(), 200);
}

#[tokio::test]
async fn names_of_a_list_are_looked_up_in_its_order() {
    let server = Dnsmasq::start(&[
        "--host-record=a.test,10.0.0.1,60",
        "--host-record=b.test,10.0.0.2,fd00::2,40",
    ]);
    let resolver = resolver(server.address());
    let found = ask(
        &resolver,
        "static:///b.test:2,10.0.0.9:9,a.test:1,gone.test:3",
    )
    .await
    .unwrap();
    assert_eq!(
        texts(&found),
        ["[fd00::2]:2", "10.0.0.2:2", "10.0.0.9:9", "10.0.0.1:1"]
    );
    assert_eq!(found.ttl, Some(Duration::from_secs(10)));
    // Refused, so nobody knows whether it is there.
    let error = ask(&resolver, "static:///a.test:1,auth.elsewhere:2")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("auth.elsewhere"), "{error}");
    let part: Vec<_> = error.partial().iter().map(ToString::to_string).collect();
    assert_eq!(part, ["10.0.0.1:1"]);
}

#[tokio::test]
async fn what_needs_no_server_asks_none() {
    let broken = Broken::silent().await;
    let resolver = resolver(broken.address()).with_hosts("10.0.0.7 auth\nfd00::7 auth\n");
    for (target, expect) in [
        ("dns:///localhost:7", &["[::1]:7", "127.0.0.1:7"][..]),
        ("dns:///auth.localhost:7", &["[::1]:7", "127.0.0.1:7"]),
        (
            &format!("dns://{}/localhost:7", broken.address()),
            &["[::1]:7", "127.0.0.1:7"],
        ),
        ("dns:///AUTH:7", &["[fd00::7]:7", "10.0.0.7:7"]),
        ("dns:///10.0.0.1:7", &["10.0.0.1:7"]),
        ("http://[fd00::1]:7", &["[fd00::1]:7"]),
        (
            "static:///10.0.0.2:7,10.0.0.1:7",
            &["10.0.0.2:7", "10.0.0.1:7"],
        ),
        ("unix:///run/auth.sock", &["unix:/run/auth.sock"]),
    ] {
        let found = ask(&resolver, target).await.unwrap();
        assert_eq!(texts(&found), expect, "{target}");
        assert_eq!(found.ttl, None, "{target}");
    }
    assert_eq!(broken.asked(), 0);
}

#[tokio::test]
async fn short_names_are_completed() {
    let server = Dnsmasq::start(&[
        "--host-record=auth.one.test,10.0.0.1",
        "--host-record=auth.two.test,10.0.0.2",
        "--host-record=other.two.test,10.0.0.3",
        "--host-record=a.b.test,10.0.0.4",
        "--host-record=a.b.test.one.test,10.0.0.5",
    ]);
    let resolver = resolver(server.address())
        .with_search(&["one.test", "two.test"], 2)
        .unwrap();
    for (host, expect) in [
        ("auth", Some("10.0.0.1:7")),
        ("other", Some("10.0.0.3:7")),
        ("other.two.test.", Some("10.0.0.3:7")),
        ("a.b.test", Some("10.0.0.4:7")),
        ("auth.", None),
    ] {
        let found = ask(&resolver, &format!("dns:///{host}:7")).await;
        assert_eq!(
            found.ok().map(|found| texts(&found)),
            expect.map(|text| vec![text.to_owned()]),
            "{host}"
        );
    }
    // A server that the target names is asked for the name as it is.
    let target = format!("dns://{}/auth:7", server.address());
    assert!(ask(&resolver, &target).await.is_err());
}

#[tokio::test]
async fn no_answer_is_a_timeout_that_names_the_server() {
    let broken = Broken::silent().await;
    let limit = Duration::from_millis(300);
    let resolver = elsewhere().with_timeout(limit);
    let before = tokio::time::Instant::now();
    let error = ask(
        &resolver,
        &format!("dns://{}/auth.test:7", broken.address()),
    )
    .await
    .unwrap_err();
    assert!(before.elapsed() < Duration::from_secs(3));
    assert!(error.is_timeout() && !error.is_not_found(), "{error}");
    let expect = format!(
        "auth.test could not be looked up (A and AAAA, asking the DNS server {}): no answer within 300ms",
        broken.address()
    );
    assert_eq!(error.to_string(), expect);
    assert!(broken.asked() >= 2, "both families");
}

#[tokio::test]
async fn answers_that_are_none_are_errors_and_no_panics() {
    for (answer, expect) in [
        (broken::SERVFAIL, Some("SERVFAIL")),
        (broken::RUBBISH, None),
        (broken::EMPTY_DATAGRAM, None),
        (broken::TRUNCATED, None),
        (broken::CUT_OFF, None),
        (broken::LIES_ABOUT_LENGTH, None),
        (broken::ANOTHER_ID, None),
    ] {
        let broken = Broken::answering(answer).await;
        let resolver = resolver(broken.address()).with_timeout(Duration::from_millis(500));
        let error = ask(&resolver, "dns:///auth.test:7").await.unwrap_err();
        assert!(!error.is_not_found(), "{error}");
        assert!(
            expect.is_none_or(|part| error.to_string().contains(part)),
            "{error}"
        );
        assert!(broken.asked() > 0);
    }
}

#[tokio::test]
async fn a_family_that_is_not_answered_does_not_hide_the_other() {
    let broken = Broken::answering(broken::ONLY_A).await;
    let found = ask(&resolver(broken.address()), "dns:///auth.test:7")
        .await
        .unwrap();
    assert_eq!(texts(&found), ["10.0.0.1:7"]);
    assert_eq!(found.ttl, Some(Duration::from_secs(60)));
}

/// A name that may well be there must not be called missing.
#[tokio::test]
async fn no_addresses_of_one_family_and_no_answer_for_the_other_is_a_timeout() {
    let broken = Broken::answering(broken::NO_AAAA).await;
    let resolver = resolver(broken.address()).with_timeout(Duration::from_secs(8));
    let error = ask(&resolver, "dns:///auth.test:7").await.unwrap_err();
    assert!(error.is_timeout() && !error.is_not_found(), "{error}");
    let error = ask(
        &resolver.with_timeout(Duration::from_millis(300)),
        "dns:///auth.test:7",
    )
    .await
    .unwrap_err();
    assert!(error.is_timeout() && !error.is_not_found(), "{error}");
}

/// Follows a set as an operator changes it: up, down, away and back, and the server itself gone.
#[tokio::test]
async fn discovery_follows_and_never_goes_empty() {
    let mut server = Dnsmasq::start(&["--local-ttl=3600"]);
    server.hosts("10.0.0.1 svc.test\n");
    let config = Config {
        interval: Duration::from_millis(100),
        floor: Duration::from_millis(50),
        timeout: Duration::from_secs(1),
        ..Config::default()
    };
    // One resolver for all look-ups, which must not cache.
    let resolver = resolver(server.address()).with_timeout(Duration::from_millis(700));
    let target = "dns:///svc.test:7".parse().unwrap();
    let discovery = Discovery::start(target, Arc::new(resolver), config);
    let mut views = discovery.subscribe();
    let mut until = async |expect: &[&str], error: &str| {
        let reached = views.wait_for(|view| {
            let texts: Vec<_> = view.addresses.iter().map(ToString::to_string).collect();
            let said = view
                .error
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            texts == expect && said.is_empty() == error.is_empty() && said.contains(error)
        });
        let reached = tokio::time::timeout(Duration::from_secs(20), reached)
            .await
            .is_ok();
        assert!(reached, "no {expect:?} {error}: {:?}", discovery.view());
    };
    until(&["10.0.0.1:7"], "").await;
    // Records that hold for an hour: nothing on the way caches them.
    server.hosts("10.0.0.1 svc.test\n10.0.0.2 svc.test\nfd00::1 svc.test\n");
    until(&["[fd00::1]:7", "10.0.0.1:7", "10.0.0.2:7"], "").await;
    server.hosts("10.0.0.2 svc.test\n");
    until(&["10.0.0.2:7"], "").await;
    server.hosts("");
    until(&["10.0.0.2:7"], "NXDOMAIN").await;
    server.hosts("10.0.0.3 svc.test\n");
    until(&["10.0.0.3:7"], "").await;
    server.stop();
    until(&["10.0.0.3:7"], "svc.test could not be looked up").await;
    server.hosts("10.0.0.4 svc.test\n");
    server.restart();
    until(&["10.0.0.4:7"], "").await;
}

#[test]
fn without_a_server_it_says_so() {
    let error = DnsResolver::with_servers(&[]).map(|_| ()).unwrap_err();
    assert!(
        error.to_string().contains("no DNS server to ask"),
        "{error}"
    );
    let error = elsewhere()
        .with_search(&["a..b"], 1)
        .map(|_| ())
        .unwrap_err();
    assert!(error.to_string().contains("a..b"), "{error}");
}

#[test]
fn the_system_can_be_asked() {
    // What it says depends on the machine: that its files are read is what can be told.
    match DnsResolver::system() {
        Ok(resolver) => assert!(format!("{resolver:?}").contains("the DNS server ")),
        Err(error) => assert!(error.to_string().contains("/etc/resolv.conf"), "{error}"),
    }
}
