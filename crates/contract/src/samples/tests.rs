//! Samples of a contract with a field of each kind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use prost_reflect::DescriptorPool;

use super::golden::{Entry, add, parse};
use super::{Sample, of};

const PROTO: &str = r#"
syntax = "proto3";
package zoo.v1;
import "google/protobuf/any.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/timestamp.proto";
message Empty {}
message Animal {
  double weight = 1;
  float height = 2;
  sint32 depth = 3;
  int64 steps = 4;
  fixed64 id = 5;
  bool tame = 6;
  string name = 7;
  bytes mark = 8;
  Order order = 9;
  repeated Animal young = 10;
  map<string, int32> scores = 11;
  optional uint32 age = 12;
  google.protobuf.Timestamp born = 13;
  google.protobuf.FieldMask seen = 14;
  google.protobuf.Any anything = 15;
  oneof home { string cage = 16; Empty wild = 17; }
}
enum Order { ORDER_UNSPECIFIED = 0; ORDER_BIRDS = 4; }
"#;

fn samples() -> Vec<Sample> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zoo.proto"), PROTO).unwrap();
    let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
    compiler
        .include_imports(true)
        .open_file("zoo.proto")
        .unwrap();
    let image = compiler.encode_file_descriptor_set();
    let pool = DescriptorPool::decode(image.as_slice()).unwrap();
    of(&pool).unwrap().remove("zoo.v1").unwrap()
}

#[test]
fn each_field_is_set_and_each_variant_is_there() {
    let samples = samples();
    let names: Vec<&str> = samples.iter().map(|sample| &*sample.message).collect();
    assert_eq!(names, ["zoo.v1.Empty", "zoo.v1.Animal", "zoo.v1.Animal"]);
    assert!(samples[0].bytes.is_empty() && samples[0].json == "{}");
    let [caged, wild]: [serde_json::Value; 2] =
        [1, 2].map(|at| serde_json::from_str(&samples[at].json).unwrap());
    let expect = serde_json::json!({
        "weight": 2.25, "height": 3.5, "depth": -1004, "steps": "-9007199254740998", "id": "18446744073709551609",
        "tame": true, "name": "name 1 é", "mark": "+/+/AQ==", "order": "ORDER_BIRDS", "age": 4_294_967_282_u32,
        "scores": {"key": -1003}, "born": "2026-01-02T03:04:05.678Z", "seen": "one,two.three", "cage": "cage 1 é",
    });
    let young = caged["young"].clone();
    let mut fields = caged;
    fields.as_object_mut().unwrap().remove("young");
    assert_eq!(fields, expect);
    assert_eq!(young.as_array().unwrap().len(), 2);
    // Two levels down, and no further.
    assert_eq!(young[0]["young"][1]["name"], "name 1 é");
    assert!(young[0]["young"][0].get("young").is_none());
    assert!(wild.get("cage").is_none() && wild["wild"] == serde_json::json!({}));
}

#[test]
fn a_release_adds_what_is_not_there_and_changes_nothing() {
    let samples = samples();
    let first = add("", &samples[..1]).unwrap().unwrap();
    let second = add(&first, &samples).unwrap().unwrap();
    assert!(second.starts_with(&first));
    assert_eq!(add(&second, &samples).unwrap(), None);
    let entries = parse(&second).unwrap();
    let there: Vec<Sample> = entries.into_iter().map(|entry| entry.sample).collect();
    assert_eq!(there, samples);
}

#[test]
fn an_entry_retires_with_a_reason_and_what_is_malformed_is_named() {
    let text = "# why\n\nmessage a.B\nbytes\njson {}\nretired gone with v1\n\n\nmessage a.C\nbytes 0801\njson {\"c\":1}\n";
    let entries = parse(text).unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|Entry { line, retired, .. }| (*line, retired.as_deref()))
        .collect();
    assert_eq!(seen, [(3, Some("gone with v1")), (9, None)]);
    for (text, expect) in [
        (
            "message a.B\nbytes 08",
            "line 1: an entry is of three lines: message, bytes, json",
        ),
        (
            "message a.B\nbytes 080\njson {}",
            "line 2: the bytes must be pairs of hexadecimal digits",
        ),
        (
            "message a.B\nbytes 08\n{}",
            "line 3: it must be `json` and its value, not \"{}\"",
        ),
        (
            "message a.B\nbytes 08\njson {}\nretired",
            "line 4: it must be `retired` and its value, not \"retired\"",
        ),
        (
            "message a.B\nbytes 08\njson {}\nretired so\nmessage a.C",
            "line 5: an entry ends before \"message a.C\"; divide entries by a blank line",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expect);
    }
}
