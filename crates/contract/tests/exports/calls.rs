//! What services say that they call is what their code calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use scribemed_contract::reference::{Reference, Service};

use crate::support::{ours, root};

/// Reads all Rust files below `folder`, but for those of tests.
fn sources(folder: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs"
        {
            out.push(fs::read_to_string(&path).unwrap());
        }
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// The methods that the code in `folder` calls: of each service whose generated client a file names, those whose names are
/// called in it.
fn called(reference: &Reference, folder: &Path) -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(folder, &mut files);
    let mut called = BTreeSet::new();
    for service in reference.services() {
        // `scribemed_proto::transcription::v2::transcription_service_client`
        let package = service.package.replace("scribemed.", "").replace('.', "::");
        let client = format!("{package}::{}_client", snake(&service.name));
        for text in files.iter().filter(|text| text.contains(&client)) {
            // A call may stand on the line below its client.
            let text: String = text.split_whitespace().collect();
            let methods = service.methods.iter();
            let made =
                methods.filter(|method| text.contains(&format!(".{}(", snake(&method.name))));
            called.extend(made.map(|method| method.full_name.clone()));
        }
    }
    called
}

/// What the services behind each discovery name declare.
fn declared(reference: &Reference) -> BTreeMap<&str, BTreeSet<String>> {
    let mut declared: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for service in reference.services() {
        let calls = declared
            .entry(service.policy.discovery_name.as_str())
            .or_default();
        calls.extend(service.policy.calls.iter().cloned());
    }
    declared
}

fn is_public(reference: &Reference, call: &str) -> bool {
    let found = reference
        .methods()
        .find(|(_, method)| method.full_name == call);
    found.unwrap().1.policy.permissions.is_none()
}

#[test]
fn a_service_calls_what_it_declares_and_nothing_else() {
    let reference = ours();
    let token = "scribemed.auth.v1.AuthService.ExchangeToken";
    let keys = "scribemed.auth.v1.AuthService.GetKeySet";
    // What the platform calls in every service: keys to verify tokens, and tokens for calls that need one.
    let platform = called(&reference, &root().join("crates/service/src"));
    assert_eq!(platform.iter().collect::<Vec<_>>(), [token, keys]);
    for (name, declared) in declared(&reference) {
        let mut expected = called(&reference, &root().join("services").join(name).join("src"));
        if name != "auth" {
            expected.insert(keys.to_owned());
        }
        if expected.iter().any(|call| !is_public(&reference, call)) {
            expected.insert(token.to_owned());
        }
        assert_eq!(
            declared, expected,
            "`calls` of the services found as {name}, and what their code calls"
        );
    }
}

#[test]
fn the_code_that_is_looked_through_is_there() {
    let reference = ours();
    let found = called(&reference, &root().join("services/documentation/src"));
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [
            "scribemed.transcription.v2.TranscriptionService.GetTranscription",
            "scribemed.transcription.v2.TranscriptionService.WatchTranscription"
        ]
    );
}

#[test]
fn every_service_has_its_code_where_it_is_looked_for() {
    let reference = ours();
    for Service { policy, .. } in reference.services() {
        let folder = root()
            .join("services")
            .join(&policy.discovery_name)
            .join("src");
        assert!(folder.is_dir(), "{}", folder.display());
    }
}
