use super::*;

fn check(form: impl Fn(&str) -> bool, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(form(text), "{text:?} is right");
    }
    for text in bad {
        assert!(!form(text), "{text:?} is wrong");
    }
}

#[test]
fn identifiers() {
    check(
        is_uuid,
        &[
            "0198c0de-0000-7000-8000-000000000001",
            "0198C0DE-0000-7000-8000-00000000000F",
        ],
        &[
            "0198c0de00007000800000000000000f",
            "0198c0de-0000-7000-8000-00000000000g",
            "{0198c0de-0000-7000-8000-00000000001}",
            "",
        ],
    );
    check(
        is_tuuid,
        &["0198c0de00007000800000000000000F"],
        &[
            "",
            "0198c0de0000700080000000000000",
            "0198c0de00007000800000000000000g",
        ],
    );
    check(
        is_ulid,
        &["01ARZ3NDEKTSV4RRFFQ69G5FAV", "7zzzzzzzzzzzzzzzzzzzzzzzzz"],
        &[
            "",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAI",
            "01ARZ3NDEKTSV4RRFFQ69G5FA",
        ],
    );
    check(
        is_protobuf_fqn,
        &["a", "_a.b_1"],
        &["", ".a", "a.", "a..b", "1a", "a-b"],
    );
    check(is_protobuf_dot_fqn, &[".a.b"], &["", ".", "a.b", "..a"]);
}

#[test]
fn hosts() {
    check(
        is_email,
        &["a@b", "first.last+tag@mail.example"],
        &["", "a", "a@", "@b", "a@-b", "a b@c", "a@b."],
    );
    check(
        is_hostname,
        &["a", "a.b.", "xn--a", "1.a", "a-b"],
        &["", ".", "a..b", "-a", "a-", "a_b", "1.2", "a.1", "é.com"],
    );
    let long = "a".repeat(63);
    let name = [&long[..], &long, &long, &long[..61]].join(".");
    assert!(
        is_hostname(&name) && is_hostname(&format!("{name}.")) && !is_hostname(&format!("{name}a"))
    );
    assert!(!is_hostname(&format!("{long}a")));
    check(
        |text| is_host_and_port(text, true),
        &["a:0", "1.2.3.4:80", "[::1]:65535"],
        &[
            "a", "a:", "a:00", "a:65536", "a:+1", "::1:80", "[::1]", "[::1]80", "[a]:1", "[::1", "",
        ],
    );
    check(
        |text| is_host_and_port(text, false),
        &["a", "1.2.3.4", "[::1]"],
        &["", "a:", "::1"],
    );
}

#[test]
fn addresses() {
    check(
        |text| is_ip(text, 0),
        &["1.2.3.4", "::", "::1%eth0", "::ffff:1.2.3.4"],
        &[
            "",
            "1.2.3",
            "01.2.3.4",
            "1.2.3.256",
            "::1%",
            ":::",
            "1:2:3:4:5:6:7",
        ],
    );
    assert!(!is_ip("::1", 4) && !is_ip("1.2.3.4", 6) && !is_ip("1.2.3.4", 5));
    check(
        |text| is_ip_prefix(text, 0, false),
        &["1.2.3.4/0", "1.2.3.4/32", "::1/128", "2001:db8::/48"],
        &[
            "",
            "1.2.3.4",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/08",
            "1.2.3.4/+8",
            "::1/129",
            "::1%a/64",
        ],
    );
    check(
        |text| is_ip_prefix(text, 0, true),
        &[
            "10.0.0.0/8",
            "0.0.0.0/0",
            "1.2.3.4/32",
            "2001:db8::/48",
            "::1/128",
        ],
        &["10.0.0.1/8", "0.0.0.1/0", "2001:db8::1/48"],
    );
    assert!(!is_ip_prefix("::/0", 4, false) && !is_ip_prefix("1.2.3.4/8", 6, false));
}

#[test]
fn uris() {
    check(
        is_uri,
        &[
            "a:",
            "A://",
            "https://example.com",
            "https://user:pass@example.com:8080/a/b?c=d#e",
            "urn:isbn:0451450523",
            "mailto:a@b.example",
            "http://[::1]:80/",
            "http://[fe80::1%25eth0]/",
            "http://[v1.a:b]/",
            "http://caf%C3%A9.example",
            "a:/b//c",
        ],
        &[
            "",
            "a",
            "/a",
            "1a:b",
            "a://b c",
            "a:%0",
            "a://[::1",
            "a://[b]",
            "http://[fe80::1%eth0]/",
            "http://caf%C3.example",
            "a://b:c",
            "a://é",
            "a:b#c#d",
        ],
    );
    check(
        is_uri_ref,
        &["", "a", "/a", "//a", "?a", "#a", "./a:b", "a:b"],
        &["1:b", "a b", "%", "//[::1", "\\"],
    );
}

#[test]
fn headers() {
    check(
        |text| is_header_name(text, true),
        &["a", ":path", "x-1", "`", ","],
        &["", ":", "a:", "a b", "é", "\"", "("],
    );
    check(
        |text| is_header_name(text, false),
        &["a b", "é:"],
        &["", "a\n", "\0"],
    );
    check(
        |text| is_header_value(text, true),
        &["", "a b\té"],
        &["\n", "\x7f", "\x01"],
    );
    check(
        |text| is_header_value(text, false),
        &["", "\x7f", "\x01"],
        &["\n", "\r", "\0"],
    );
}
