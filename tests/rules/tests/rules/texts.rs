//! Text and bytes.
#![allow(
    clippy::too_many_lines,
    reason = "a table with a line or two for each rule"
)]

use rules_test::v1::{BytesRules, TextRules};

use crate::check;

#[test]
fn text() {
    let valid = TextRules {
        r#const: "abc".into(),
        len: "äöü".into(),
        min_len: "äöü".into(),
        max_len: "äöü".into(),
        len_bytes: "äa".into(),
        min_bytes: "äa".into(),
        max_bytes: "äa".into(),
        pattern: "abc".into(),
        prefix: "abz".into(),
        suffix: "ayz".into(),
        contains: "amnz".into(),
        not_contains: "man".into(),
        r#in: "def".into(),
        not_in: "abd".into(),
        email: "a@b.c".into(),
        hostname: "a.example".into(),
        ip: "::1".into(),
        ipv4: "1.2.3.4".into(),
        ipv6: "::1".into(),
        uri: "https://a.b/c".into(),
        uri_ref: "/c".into(),
        address: "a.example".into(),
        uuid: "0198c0de-0000-7000-8000-000000000001".into(),
        tuuid: "0198c0de00007000800000000000000f".into(),
        ip_with_prefixlen: "1.2.3.4/8".into(),
        ipv4_with_prefixlen: "1.2.3.4/8".into(),
        ipv6_with_prefixlen: "::1/8".into(),
        ip_prefix: "1.0.0.0/8".into(),
        ipv4_prefix: "1.0.0.0/8".into(),
        ipv6_prefix: "::/8".into(),
        host_and_port: "a.example:80".into(),
        ulid: "01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        protobuf_fqn: "a.B".into(),
        protobuf_dot_fqn: ".a.B".into(),
        header_name: "x-y".into(),
        header_value: "x y".into(),
        loose: "x\u{7f}".into(),
    };
    check(
        &valid,
        &[
            (
                |m| m.r#const = "abd".into(),
                "const: must equal `abc` [string.const]",
            ),
            (
                |m| m.len = "äö".into(),
                "len: must be 3 characters [string.len]",
            ),
            (
                |m| m.min_len = "äö".into(),
                "min_len: must be at least 3 characters [string.min_len]",
            ),
            (
                |m| m.max_len = "äöüß".into(),
                "max_len: must be at most 3 characters [string.max_len]",
            ),
            (
                |m| m.len_bytes = "abcd".into(),
                "len_bytes: must be 3 bytes [string.len_bytes]",
            ),
            (
                |m| m.min_bytes = "ä".into(),
                "min_bytes: must be at least 3 bytes [string.min_bytes]",
            ),
            (
                |m| m.max_bytes = "ää".into(),
                "max_bytes: must be at most 3 bytes [string.max_bytes]",
            ),
            (
                |m| m.pattern = "aB".into(),
                "pattern: does not match regex pattern `^[a-z]+$` [string.pattern]",
            ),
            (
                |m| m.prefix = "zab".into(),
                "prefix: does not have prefix `ab` [string.prefix]",
            ),
            (
                |m| m.suffix = "yza".into(),
                "suffix: does not have suffix `yz` [string.suffix]",
            ),
            (
                |m| m.contains = "man".into(),
                "contains: does not contain substring `mn` [string.contains]",
            ),
            (
                |m| m.not_contains = "amn".into(),
                "not_contains: contains substring `mn` [string.not_contains]",
            ),
            (
                |m| m.r#in = "abd".into(),
                "in: must be in list [abc, def] [string.in]",
            ),
            (
                |m| m.not_in = "def".into(),
                "not_in: must not be in list [abc, def] [string.not_in]",
            ),
            (
                |m| m.email = "a@".into(),
                "email: must be a valid email address [string.email]",
            ),
            (
                |m| m.hostname = "-a".into(),
                "hostname: must be a valid hostname [string.hostname]",
            ),
            (
                |m| m.ip = "1.2.3".into(),
                "ip: must be a valid IP address [string.ip]",
            ),
            (
                |m| m.ipv4 = "::1".into(),
                "ipv4: must be a valid IPv4 address [string.ipv4]",
            ),
            (
                |m| m.ipv6 = "1.2.3.4".into(),
                "ipv6: must be a valid IPv6 address [string.ipv6]",
            ),
            (
                |m| m.uri = "/c".into(),
                "uri: must be a valid URI [string.uri]",
            ),
            (
                |m| m.uri_ref = "a b".into(),
                "uri_ref: must be a valid URI Reference [string.uri_ref]",
            ),
            (
                |m| m.address = "a b".into(),
                "address: must be a valid hostname, or ip address [string.address]",
            ),
            (
                |m| m.uuid = "0198c0de".into(),
                "uuid: must be a valid UUID [string.uuid]",
            ),
            (
                |m| m.tuuid = "0198c0de-0000-7000-8000-000000000001".into(),
                "tuuid: must be a valid trimmed UUID [string.tuuid]",
            ),
            (
                |m| m.ip_with_prefixlen = "1.2.3.4".into(),
                "ip_with_prefixlen: must be a valid IP prefix [string.ip_with_prefixlen]",
            ),
            (
                |m| m.ipv4_with_prefixlen = "::1/8".into(),
                "ipv4_with_prefixlen: must be a valid IPv4 address with prefix length [string.ipv4_with_prefixlen]",
            ),
            (
                |m| m.ipv6_with_prefixlen = "1.2.3.4/8".into(),
                "ipv6_with_prefixlen: must be a valid IPv6 address with prefix length [string.ipv6_with_prefixlen]",
            ),
            (
                |m| m.ip_prefix = "1.2.3.4/8".into(),
                "ip_prefix: must be a valid IP prefix [string.ip_prefix]",
            ),
            (
                |m| m.ipv4_prefix = "1.2.3.4/8".into(),
                "ipv4_prefix: must be a valid IPv4 prefix [string.ipv4_prefix]",
            ),
            (
                |m| m.ipv6_prefix = "::1/8".into(),
                "ipv6_prefix: must be a valid IPv6 prefix [string.ipv6_prefix]",
            ),
            (
                |m| m.host_and_port = "a.example".into(),
                "host_and_port: must be a valid host (hostname or IP address) and port pair [string.host_and_port]",
            ),
            (
                |m| m.ulid = "81ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
                "ulid: must be a valid ULID [string.ulid]",
            ),
            (
                |m| m.protobuf_fqn = ".a.B".into(),
                "protobuf_fqn: must be a valid fully-qualified Protobuf name [string.protobuf_fqn]",
            ),
            (
                |m| m.protobuf_dot_fqn = "a.B".into(),
                "protobuf_dot_fqn: must be a valid fully-qualified Protobuf name with a leading dot [string.protobuf_dot_fqn]",
            ),
            (
                |m| m.header_name = "x y".into(),
                "header_name: must be a valid HTTP header name [string.well_known_regex.header_name] by [string.well_known_regex]",
            ),
            (
                |m| m.header_value = "x\u{7f}".into(),
                "header_value: must be a valid HTTP header value [string.well_known_regex.header_value] by [string.well_known_regex]",
            ),
            (
                |m| m.loose = "x\n".into(),
                "loose: must be a valid HTTP header value [string.well_known_regex.header_value] by [string.well_known_regex]",
            ),
        ],
    );
    check(&TextRules::default(), &[]);
}

#[test]
fn bytes() {
    let valid = BytesRules {
        r#const: "abc".into(),
        len: "abc".into(),
        min_len: "abc".into(),
        max_len: "abc".into(),
        pattern: "abc".into(),
        prefix: "abz".into(),
        suffix: "ayz".into(),
        contains: "amnz".into(),
        r#in: "def".into(),
        not_in: "abd".into(),
        ip: vec![1; 16].into(),
        ipv4: vec![1; 4].into(),
        ipv6: vec![1; 16].into(),
        uuid: vec![1; 16].into(),
    };
    check(
        &valid,
        &[
            (
                |m| m.r#const = "abd".into(),
                "const: must be 616263 [bytes.const]",
            ),
            (|m| m.len = "ab".into(), "len: must be 3 bytes [bytes.len]"),
            (
                |m| m.min_len = "ab".into(),
                "min_len: must be at least 3 bytes [bytes.min_len]",
            ),
            (
                |m| m.max_len = "abcd".into(),
                "max_len: must be at most 3 bytes [bytes.max_len]",
            ),
            (
                |m| m.pattern = "aB".into(),
                "pattern: must match regex pattern `^[a-z]+$` [bytes.pattern]",
            ),
            (
                |m| m.prefix = "zab".into(),
                "prefix: does not have prefix 6162 [bytes.prefix]",
            ),
            (
                |m| m.suffix = "yza".into(),
                "suffix: does not have suffix 797a [bytes.suffix]",
            ),
            (
                |m| m.contains = "man".into(),
                "contains: does not contain 6d6e [bytes.contains]",
            ),
            (
                |m| m.r#in = "abd".into(),
                "in: must be in list [abc, def] [bytes.in]",
            ),
            (
                |m| m.not_in = "def".into(),
                "not_in: must not be in list [abc, def] [bytes.not_in]",
            ),
            (
                |m| m.ip = vec![1; 5].into(),
                "ip: must be a valid IP address [bytes.ip]",
            ),
            (
                |m| m.ipv4 = vec![1; 16].into(),
                "ipv4: must be a valid IPv4 address [bytes.ipv4]",
            ),
            (
                |m| m.ipv6 = vec![1; 4].into(),
                "ipv6: must be a valid IPv6 address [bytes.ipv6]",
            ),
            (
                |m| m.uuid = vec![1; 15].into(),
                "uuid: must be a valid UUID [bytes.uuid]",
            ),
        ],
    );
    check(&BytesRules::default(), &[]);
}
