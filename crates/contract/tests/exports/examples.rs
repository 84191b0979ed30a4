//! Examples are valid by their rules.

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage as _};
use scribemed_contract::example;
use scribemed_contract::reference::Reference;
use scribemed_proto::{auth, documentation, transcription};
use scribemed_rpc::Validate;

use crate::support::{ours, reference, with_fields};

/// The example for a message, read as protobuf's JSON.
fn read(reference: &Reference, full_name: &str) -> DynamicMessage {
    let json = example::message(reference, full_name).compact();
    let kind = reference.pool.get_message_by_name(full_name).unwrap();
    let mut reader = serde_json::Deserializer::from_str(&json);
    let read = DynamicMessage::deserialize(kind, &mut reader);
    read.unwrap_or_else(|error| panic!("{full_name}: {error} in {json}"))
}

fn check<T: Message + Default + Validate>(message: &DynamicMessage) {
    let typed = T::decode(message.encode_to_vec().as_slice()).unwrap();
    let name = message.descriptor().full_name().to_owned();
    typed
        .validate()
        .unwrap_or_else(|broken| panic!("{name}: {broken:?}"));
}

macro_rules! checks {
    ($($package:literal $module:path { $($name:ident)* })*) => {
        fn checks() -> Vec<(String, fn(&DynamicMessage))> {
            vec![$($((concat!($package, ".", stringify!($name)).to_owned(), {
                use $module as module;
                check::<module::$name> as fn(&DynamicMessage)
            })),*),*]
        }
    };
}

checks! {
    "scribemed.auth.v1" auth::v1 { ExchangeTokenRequest GetKeySetRequest RotateKeysRequest }
    "scribemed.transcription.v1" transcription::v1 {
        CreateTranscriptionRequest GetTranscriptionRequest GetTranscriptionStatusRequest
    }
    "scribemed.transcription.v2" transcription::v2 {
        CreateTranscriptionRequest UploadTranscriptionRequest GetTranscriptionRequest WatchTranscriptionRequest
        ListTranscriptionsRequest CancelTranscriptionRequest
    }
    "scribemed.documentation.v1" documentation::v1 { CreateNoteRequest GetNoteRequest }
    "scribemed.documentation.v2" documentation::v2 {
        GenerateNoteRequest CreateNoteRequest GetNoteRequest ListNotesRequest UpdateNoteRequest SignNoteRequest
        WatchNoteRequest
    }
}

#[test]
fn the_examples_of_requests_pass_the_generated_checks() {
    let reference = ours();
    // A request that is not among them needs a line above to be checked; one that is gone fails here.
    for (name, check) in checks() {
        assert!(
            reference
                .methods()
                .any(|(_, method)| method.request == name),
            "no method takes {name} any more"
        );
        check(&read(&reference, &name));
    }
}

#[test]
fn the_checks_can_fail() {
    let reference = ours();
    let empty = reference
        .pool
        .get_message_by_name("scribemed.documentation.v2.GetNoteRequest")
        .unwrap();
    let result = std::panic::catch_unwind(|| {
        check::<documentation::v2::GetNoteRequest>(&DynamicMessage::new(empty));
    });
    assert!(result.is_err());
}

/// The example for a field with these rules, as JSON.
fn example_of(kind: &str, rules: &str) -> serde_json::Value {
    let reference = reference(&with_fields(&format!("{kind} thing = 1 [{rules}];")));
    read(&reference, "inn.v1.RestRequest");
    let json = example::message(&reference, "inn.v1.RestRequest").compact();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    json["thing"].clone()
}

#[test]
fn of_fields_that_exclude_each_other_one_is_set() {
    let reference = reference(&with_fields(
        r#"option (buf.validate.message).oneof = {fields: ["mail", "host"] required: true};
           string host = 1 [(buf.validate.field).string.hostname = true];
           string mail = 2 [(buf.validate.field).string.email = true];"#,
    ));
    let json = example::message(&reference, "inn.v1.RestRequest").compact();
    assert_eq!(json, r#"{"mail":"ada@example.com"}"#);
    let message = reference.message("inn.v1.RestRequest").unwrap();
    assert!(message.fields.iter().all(|field| !field.is_required()));
}

#[test]
fn rules_are_told_as_they_are_meant() {
    let words = |field: &str| {
        let reference = reference(&with_fields(field));
        let message = reference.message("inn.v1.RestRequest").unwrap();
        message.fields[0].rules.words().join("; ")
    };
    for (field, expect) in [
        (
            "int32 n = 1 [(buf.validate.field).int32 = {gte: 5 lt: 2}];",
            "at least 5 or less than 2",
        ),
        (
            "int32 n = 1 [(buf.validate.field).int32 = {gt: 5 lte: 9 not_in: 7}];",
            "at most 9; more than 5; not 7",
        ),
        (
            "string s = 1 [(buf.validate.field).string.uuid = true, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];",
            "a UUID; or left empty",
        ),
        (
            "optional string s = 1 [(buf.validate.field).string.uuid = true, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];",
            "a UUID",
        ),
    ] {
        assert_eq!(words(field), expect, "{field}");
    }
}

#[test]
fn rules_of_each_kind_are_kept() {
    let rule = |rules: &str| {
        let each = rules
            .split(", ")
            .map(|rule| format!("(buf.validate.field).{rule}"));
        each.collect::<Vec<_>>().join(", ")
    };
    let of = |kind: &str, rules: &str| example_of(kind, &rule(rules));
    let text = |rules: &str| of("string", rules).as_str().unwrap().to_owned();
    assert_eq!(text("string.len = 7").chars().count(), 7);
    assert_eq!(text("string.min_len = 40").chars().count(), 40);
    let short = text("string.min_len = 1, string.max_len = 2");
    assert!((1..=2).contains(&short.chars().count()), "{short}");
    let wrapped = text("string.prefix = \"bed-\", string.suffix = \"!\", string.contains = \"of\"");
    assert!(
        wrapped.starts_with("bed-") && wrapped.ends_with('!') && wrapped.contains("of"),
        "{wrapped}"
    );
    for pattern in [
        "^[a-z]+:[a-z-]+$",
        "^\\\\d{3}-(foo|bar)$",
        "^[A-Z][a-z]{4,9}$",
        "^x?[0-9]{2}$",
    ] {
        let found = text(&format!("string.pattern = \"{pattern}\""));
        let pattern = regex::Regex::new(&pattern.replace("\\\\", "\\")).unwrap();
        assert!(pattern.is_match(&found), "{pattern} {found}");
    }
    assert_eq!(text("string.in = \"a\", string.in = \"b\""), "a");
    assert_eq!(text("string.const = \"it\""), "it");
    assert_eq!(text("string.email = true"), "ada@example.com");
    assert_eq!(of("int32", "int32.gt = 3"), 4);
    assert_eq!(
        of("int32", "int32.gte = -5, int32.lte = -2, required = true"),
        -2
    );
    assert_eq!(of("int64", "int64.gt = 7"), "8");
    assert_eq!(of("uint32", "uint32.gt = 0, uint32.not_in = 1"), 2);
    let share = of("double", "double.gt = 0, double.lt = 1")
        .as_f64()
        .unwrap();
    assert!(share > 0.0 && share < 1.0, "{share}");
    assert_eq!(of("bool", "bool.const = true"), true);
    assert_eq!(of("bytes", "bytes.len = 4"), "ZXhhbQ==");
    assert_eq!(
        of(
            "Bed",
            "enum.defined_only = true, enum.not_in = 0, enum.not_in = 1"
        ),
        "BED_HARD"
    );
    let several = of(
        "repeated string",
        "repeated.min_items = 3, repeated.unique = true",
    );
    let several: std::collections::BTreeSet<_> = several
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect();
    assert_eq!(several.len(), 3);
    let pairs = of(
        "map<string, int32>",
        "map.min_pairs = 2, map.values.int32.gt = 4",
    );
    assert_eq!(pairs.as_object().unwrap().len(), 2);
    assert!(
        pairs
            .as_object()
            .unwrap()
            .values()
            .all(|value| value.as_i64().unwrap() > 4)
    );
    assert_eq!(
        of(
            "google.protobuf.Duration",
            "required = true, duration.gte.seconds = 5"
        ),
        "5s"
    );
}

#[test]
fn what_is_optional_is_left_out_and_of_a_choice_that_must_be_made_one_is_made() {
    let text = with_fields(
        r"string note = 1 [(buf.validate.field).string.max_len = 3];
        string id = 2 [(buf.validate.field).string.uuid = true, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];
        oneof bed { option (buf.validate.oneof).required = true; string soft = 3; string hard = 4; }
        oneof view { string sea = 5; string hill = 6; }
        Guest guest = 7 [(buf.validate.field).required = true];",
    ) + "message Guest { string name = 1 [(buf.validate.field).string.min_len = 1]; Guest with = 2; }";
    let json = example::message(&reference(&text), "inn.v1.RestRequest").compact();
    assert_eq!(json, r#"{"soft":"text","guest":{"name":"Ada"}}"#);
}
