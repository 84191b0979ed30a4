#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]
#![allow(clippy::too_many_lines, reason = "tables are long")]

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn target(text: &str) -> Target {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn socket(text: &str) -> Address {
    Address::Socket(text.parse().unwrap())
}

#[test]
fn takes_every_kind() {
    let dns = |server: Option<&str>, host: &str, port| Kind::Dns {
        server: server.map(|server| server.parse().unwrap()),
        host: host.to_owned(),
        port,
    };
    let srv = |name: &str| Kind::Srv {
        name: name.to_owned(),
    };
    for (text, authority, server_name, kind) in [
        ("http://auth:80", "auth:80", "auth", dns(None, "auth", 80)),
        (
            "https://auth:443/",
            "auth:443",
            "auth",
            dns(None, "auth", 443),
        ),
        (
            "http://127.0.0.1:50051",
            "127.0.0.1:50051",
            "127.0.0.1",
            Kind::Static(vec![socket("127.0.0.1:50051")]),
        ),
        (
            "http://[::1]:50051/",
            "[::1]:50051",
            "::1",
            Kind::Static(vec![socket("[::1]:50051")]),
        ),
        (
            "http://[0:0::0:1]:1",
            "[::1]:1",
            "::1",
            Kind::Static(vec![socket("[::1]:1")]),
        ),
        (
            "dns:///Transcription:50052",
            "transcription:50052",
            "transcription",
            dns(None, "transcription", 50_052),
        ),
        ("dns:///a.b.:1", "a.b.:1", "a.b.", dns(None, "a.b.", 1)),
        (
            "dns:///10.0.0.7:1",
            "10.0.0.7:1",
            "10.0.0.7",
            Kind::Static(vec![socket("10.0.0.7:1")]),
        ),
        (
            "dns://10.0.0.2/auth:1",
            "auth:1",
            "auth",
            dns(Some("10.0.0.2:53"), "auth", 1),
        ),
        (
            "dns://10.0.0.2:54/auth:1",
            "auth:1",
            "auth",
            dns(Some("10.0.0.2:54"), "auth", 1),
        ),
        (
            "dns://[fd00::2]/auth:1",
            "auth:1",
            "auth",
            dns(Some("[fd00::2]:53"), "auth", 1),
        ),
        (
            "dns://[fd00::2]:54/auth:1/",
            "auth:1",
            "auth",
            dns(Some("[fd00::2]:54"), "auth", 1),
        ),
        (
            "srv:///_grpc._tcp.auth.internal",
            "auth.internal",
            "auth.internal",
            srv("_grpc._tcp.auth.internal"),
        ),
        ("srv:///auth", "auth", "auth", srv("auth")),
        ("srv:///_auth", "_auth", "_auth", srv("_auth")),
        (
            "static:///10.0.0.8:1,[fd00::1]:2",
            "10.0.0.8:1",
            "10.0.0.8",
            Kind::Static(vec![socket("10.0.0.8:1"), socket("[fd00::1]:2")]),
        ),
        (
            "static:///a:1, 10.0.0.8:2",
            "a:1",
            "a",
            Kind::Names(vec![
                Host::Name("a".to_owned(), 1),
                Host::Address("10.0.0.8:2".parse().unwrap()),
            ]),
        ),
        (
            "unix:///run/a b.sock",
            "localhost",
            "localhost",
            Kind::Unix(Path::new("/run/a b.sock").into()),
        ),
    ] {
        let target = target(text);
        assert_eq!(target.authority(), authority, "{text}");
        assert_eq!(target.server_name(), server_name, "{text}");
        assert_eq!(target.kind(), &kind, "{text}");
        assert_eq!(target.is_tls(), text.starts_with("https"), "{text}");
        assert_eq!(target.to_string(), text);
    }
}

#[test]
fn says_what_is_wrong_and_what_would_be_right() {
    let long_label = format!("dns:///{}:1", "a".repeat(64));
    let long_name = format!("dns:///{}a:1", "abc.".repeat(64));
    let long_path = format!("unix:///{}", "a".repeat(103));
    let check = |text: &str, expect: &[&str]| {
        let error = text.parse::<Target>().map_err(|e| e.to_string());
        let said = |part: &&str| error.as_ref().is_err_and(|e| e.contains(*part));
        assert!(expect.iter().all(said), "{text}: {error:?}");
    };
    check(
        "",
        &[
            "no scheme",
            "dns:///, srv:///, static:///, http://, https://, unix:///",
        ],
    );
    check("transcription:50052", &["no scheme"]);
    check("unix:/run/a.sock", &["no scheme", "unix:///"]);
    check(
        "ftp://auth:1",
        &[
            "scheme \"ftp\" is not known",
            "dns:///, srv:///, static:///, http://, https://, unix:///",
        ],
    );
    check("HTTP://auth:1", &["scheme \"HTTP\" is not known"]);
    check("http://auth", &["\"auth\" names no port", "1 to 65535"]);
    check("http://auth:", &["names no port"]);
    check("http://auth:0", &["names no port"]);
    check("dns:///[::1]", &["names no port"]);
    check("http://auth:99999", &["\"99999\" is an invalid port"]);
    check("http://auth:+1", &["\"+1\" is an invalid port"]);
    check("http://auth:1a", &["invalid port"]);
    check("http://:50051", &["empty host"]);
    check("dns:///", &["empty host"]);
    check("http://user@auth:1", &["more than a host and a port"]);
    check(
        "http://auth:1/path",
        &["more than a host and a port", "\"/path\""],
    );
    check("http://auth:1//", &["more than a host and a port"]);
    check(
        "http://auth:1?a=b",
        &["more than a host and a port", "\"?a=b\""],
    );
    check("dns:///auth:1#a", &["more than a host and a port"]);
    check("dns:///auth:1,b:2", &["IPv6 address stands in brackets"]);
    check(
        "dns://transcription:50052",
        &["names a DNS server and no host", "three slashes"],
    );
    check(
        "dns://server/auth:1",
        &[
            "DNS server \"server\" is no IP address",
            "dns://10.0.0.2:53/host:port",
        ],
    );
    check("dns://10.0.0.2:0/auth:1", &["DNS server"]);
    check("dns://10.0.0.2:x/auth:1", &["DNS server"]);
    check("dns://fd00::2/auth:1", &["DNS server"]);
    check(
        "http://::1:1",
        &["IPv6 address stands in brackets", "[::1]:50051"],
    );
    check("http://[::1:1", &["bracket is not closed"]);
    check("http://[::1]1", &["only a port may follow"]);
    check("http://[fe80::1%eth0]:1", &["without a zone"]);
    check("http://[auth]:1", &["\"auth\" is no host"]);
    check("http://256.0.0.1:1", &["no IPv4 address"]);
    check("http://127.1:1", &["no IPv4 address"]);
    check("http://010.0.0.1:1", &["no IPv4 address"]);
    check("http://a b:1", &["letters, digits"]);
    check("http://a\r\nb:1", &["letters, digits"]);
    check(
        "http://a..b:1",
        &["nothing before, between or after its dots"],
    );
    check("http://.:1", &["nothing before, between or after its dots"]);
    check("http://-a:1", &["begins or ends with -"]);
    check("http://bücher:1", &["xn--"]);
    check(&long_label, &["63 characters"]);
    check(&long_name, &["253 characters"]);
    check(
        "srv:///_grpc._tcp.auth:50051",
        &["an SRV name has no port", ":50051"],
    );
    check("srv:///", &["empty host"]);
    check(
        "srv://10.0.0.2/auth",
        &["srv:// takes no server", "three slashes"],
    );
    check("srv://auth", &["srv:// takes no server"]);
    check("static://10.0.0.1:1", &["static:// takes no server"]);
    check(
        "static:///",
        &["empty entry", "static:///host:port,host:port"],
    );
    check("static:///10.0.0.1:1,,10.0.0.2:1", &["empty entry"]);
    check("static:///10.0.0.1:1,", &["empty entry"]);
    check("static:///10.0.0.1", &["\"10.0.0.1\" names no port"]);
    check(
        "static:///10.0.0.1:1,10.0.0.1:1",
        &["10.0.0.1:1 stands twice"],
    );
    check("static:///[::1]:1,[0::1]:1", &["[::1]:1 stands twice"]);
    check("static:///a:1,A:1", &["a:1 stands twice"]);
    check(
        "unix://run/a.sock",
        &["does not begin with /", "unix:///run/service.sock"],
    );
    check("unix://", &["does not begin with /"]);
    check("unix:///", &["names a folder"]);
    check("unix:///run/", &["names a folder"]);
    check("unix:///run/\0", &["NUL"]);
    check(&long_path, &["103 bytes"]);
}

#[test]
fn the_longest_that_fit_are_taken() {
    target(&format!("dns:///{}:1", "a".repeat(63)));
    target(&format!("dns:///{}a:1", "abc.".repeat(63)));
    target(&format!("unix:///{}", "a".repeat(102)));
    target("dns:///a:65535");
}

#[test]
fn a_password_is_not_shown() {
    let error = "http://me:secret@auth:1".parse::<Target>().unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// What a fuzzer would do, for the time that a test may take: texts that are nearly targets, and the promises that hold of each.
#[test]
fn no_text_breaks_it() {
    const SEEDS: &[&str] = &[
        "dns:///transcription:50052",
        "dns://[fd00::2]:53/auth.internal.:50051",
        "srv:///_grpc._tcp.auth.internal",
        "static:///10.0.0.7:1,[fd00::1]:2,a:3",
        "https://auth:443/",
        "unix:///run/auth.sock",
    ];
    const PIECES: &[&str] = &[
        "://",
        "/",
        "///",
        ":",
        ",",
        ".",
        "..",
        "[",
        "]",
        "[::1]",
        "%",
        "%2f",
        "@",
        "?",
        "#",
        "-",
        "_",
        " ",
        "\0",
        "\r\n",
        "\u{e9}",
        "\u{1F600}",
        "0",
        "65535",
        "65536",
        "99999999999999999999",
        "255.255.255.255",
        "xn--",
        "dns",
        "unix",
        "static",
    ];
    let mut rng = StdRng::seed_from_u64(1);
    let mut taken = 0;
    for _ in 0..100_000 {
        let mut text: Vec<char> = SEEDS[rng.random_range(0..SEEDS.len())].chars().collect();
        for _ in 0..rng.random_range(1..5) {
            let at = rng.random_range(0..=text.len());
            let to = rng.random_range(at..=text.len().min(at + 4));
            let piece = PIECES[rng.random_range(0..PIECES.len())].chars();
            match rng.random_range(0..4) {
                0 => drop(text.splice(at..at, piece)),
                1 => drop(text.splice(at..to, piece)),
                2 => drop(text.drain(at..to)),
                _ => text.truncate(at),
            }
        }
        let text: String = text.into_iter().collect();
        match text.parse::<Target>() {
            Ok(target) => {
                taken += 1;
                promises(&target, &text);
            }
            Err(error) => assert!(!error.to_string().is_empty(), "{text:?}"),
        }
    }
    assert!(taken > 5_000, "too few of the texts are targets: {taken}");
}

fn promises(target: &Target, text: &str) {
    assert_eq!(target.to_string(), text);
    assert_eq!(text.parse::<Target>().as_ref(), Ok(target));
    let header = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"/?#@,".contains(&b))
    };
    assert!(
        header(target.authority()) && header(target.server_name()),
        "{text:?}"
    );
    let port = |a: &Address| a.socket().is_some_and(|socket| socket.port() != 0);
    match target.kind() {
        Kind::Dns { host, port, .. } => assert!(header(host) && *port != 0, "{text:?}"),
        Kind::Srv { name } => assert!(header(name), "{text:?}"),
        Kind::Static(addresses) => assert!(
            !addresses.is_empty() && addresses.iter().all(port),
            "{text:?}"
        ),
        Kind::Names(hosts) => assert!(
            hosts.iter().any(|host| matches!(host, Host::Name(..))),
            "{text:?}"
        ),
        Kind::Unix(path) => assert!(path.is_absolute(), "{text:?}"),
    }
}
