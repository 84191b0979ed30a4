//! Messages of each release, in `proto/golden/messages`: today's types and today's contract read and write them as the release
//! did, on the wire and as JSON.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::{DescriptorPool, DynamicMessage};
use scribemed_contract::samples::golden::{self, Entry};
use scribemed_contract::samples::{self, Sample};
use serde::de::DeserializeSeed as _;

include!(concat!(env!("OUT_DIR"), "/today.rs"));

fn through<M: prost::Message + Default>(bytes: &[u8]) -> Result<Vec<u8>, prost::DecodeError> {
    M::decode(bytes).map(|message| message.encode_to_vec())
}

fn proto() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto")
}

/// All entries, with the file that they stand in.
fn entries() -> Vec<(String, Entry)> {
    let folder = proto().join("golden/messages");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| golden::is_golden(path))
        .collect();
    files.sort();
    let entries = files.iter().flat_map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let entries = golden::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        entries.into_iter().map(move |entry| (name.clone(), entry))
    });
    entries.collect()
}

/// Today's contract, as the services show it.
fn today() -> DescriptorPool {
    DescriptorPool::decode(scribemed_proto::DESCRIPTOR_SET).unwrap()
}

/// What is wrong with an entry today.
fn wrong(entry: &Entry, today: &DescriptorPool) -> Option<String> {
    let Sample {
        message,
        bytes,
        json,
    } = &entry.sample;
    let Some(kind) = today.get_message_by_name(message) else {
        return Some(
            "the message is gone; after its sunset the entry gets a line `retired REASON`"
                .to_owned(),
        );
    };
    let read = match DynamicMessage::decode(kind.clone(), bytes.as_slice()) {
        Ok(read) => read,
        Err(error) => return Some(format!("today's contract cannot read the bytes: {error}")),
    };
    if let Some(field) = read.unknown_fields().next() {
        return Some(format!(
            "today's contract does not know field {}",
            field.number()
        ));
    }
    match samples::json(&read) {
        Ok(today) if today == *json => {}
        Ok(today) => return Some(format!("the bytes were {json} and are {today} today")),
        Err(error) => return Some(error.to_string()),
    }
    let mut parser = serde_json::Deserializer::from_str(json);
    match kind.deserialize(&mut parser) {
        Ok(parsed) if parsed == read => {}
        Ok(_) => return Some("the JSON is another message than the bytes today".to_owned()),
        Err(error) => return Some(format!("today's contract cannot read the JSON: {error}")),
    }
    match again(message, bytes) {
        // Options have no generated type.
        None if message.starts_with("scribemed.options.") => None,
        None => Some("there is no generated type".to_owned()),
        Some(Ok(today)) if today == *bytes => None,
        Some(Ok(today)) => Some(format!("the generated type writes {today:02x?} today")),
        Some(Err(error)) => Some(format!("the generated type cannot read the bytes: {error}")),
    }
}

#[test]
fn what_was_released_is_read_and_written_as_it_was() {
    let today = today();
    let entries = entries();
    let held = entries.iter().filter(|(_, entry)| entry.retired.is_none());
    let wrong: Vec<String> = held
        .filter_map(|(file, entry)| {
            let why = wrong(entry, &today)?;
            Some(format!(
                "{file}:{}: {}: {why}",
                entry.line, entry.sample.message
            ))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "callers of a release send and expect this; mend the contract, or put the change into a new version:\n{}",
        wrong.join("\n")
    );
    assert!(entries.len() > 50, "there are {}", entries.len());
}

#[test]
fn each_message_of_the_last_release_has_its_entries() {
    let released = fs::read(proto().join("golden/released.binpb")).unwrap();
    let released = DescriptorPool::decode(released.as_slice()).unwrap();
    let mut known: BTreeMap<(String, Vec<u8>), String> = entries()
        .into_iter()
        .map(|(_, Entry { sample, .. })| ((sample.message, sample.bytes), sample.json))
        .collect();
    let samples = samples::of(&released).unwrap();
    for sample in samples.into_values().flatten() {
        let json = known.remove(&(sample.message.clone(), sample.bytes));
        assert_eq!(
            json.as_deref(),
            Some(sample.json.as_str()),
            "{}: its entry was changed or removed; put it back, or run `cargo xtask release-contract` for a new one",
            sample.message
        );
    }
}

#[test]
fn an_entry_that_does_not_hold_is_told() {
    let today = today();
    let check = |message: &str, bytes: &[u8], json: &str, expect: &str| {
        let sample = Sample {
            message: message.to_owned(),
            bytes: bytes.to_owned(),
            json: json.to_owned(),
        };
        let entry = Entry {
            line: 1,
            sample,
            retired: None,
        };
        let said = wrong(&entry, &today).unwrap_or_default();
        assert!(said.contains(expect), "{message}: {said:?}");
    };
    let name = "scribemed.auth.v1.RotateKeysRequest";
    check(name, b"\x0a\x01x", r#"{"requestId":"x"}"#, "");
    check("scribemed.auth.v1.Gone", b"", "{}", "the message is gone");
    check(name, b"\x0a\x09x", "{}", "cannot read the bytes");
    check(name, b"\x12\x01x", "{}", "does not know field 2");
    // Another name, as it is in JSON alone.
    check(
        name,
        b"\x0a\x01x",
        r#"{"id":"x"}"#,
        r#"were {"id":"x"} and are {"requestId":"x"} today"#,
    );
    // Fields in another order than generated types write them.
    check(
        "scribemed.auth.v1.Jwk",
        b"\x12\x01b\x0a\x01a",
        r#"{"kid":"a","kty":"b"}"#,
        "the generated type writes [0a, 01, 61, 12, 01, 62] today",
    );
}
