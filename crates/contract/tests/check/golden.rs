//! What is committed is what is written, and what was released still works.

use std::fs;

use scribemed_contract::check::allow::Allowed;
use scribemed_contract::check::{check, report};
use scribemed_contract::image;

use crate::contract::{Contract, TODAY, root};

#[test]
fn the_reference_of_the_rules_is_that_of_the_table() {
    let committed = fs::read_to_string(root().join("docs/reference/contract-rules.md")).unwrap();
    assert!(
        committed == report::reference(),
        "renew it: cargo run -p scribemed-contract -- rules --out docs/reference/contract-rules.md"
    );
}

#[test]
fn the_contract_breaks_nobody_who_was_built_with_the_release() {
    let released = image::read(&root().join("proto/golden/released.binpb")).unwrap();
    let findings = check(&released, &Contract::new(&[]).pool(), TODAY);
    let path = root().join("proto/allowed-breaks.toml");
    let allowed = if path.exists() {
        Allowed::read(&path).unwrap()
    } else {
        Allowed::default()
    };
    let mut findings = allowed.apply(findings).findings;
    // Those that the merge base needs are judged by `cargo xtask proto`, which knows it.
    findings.retain(|finding| finding.rule.id != "ALLOWANCE_STALE");
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn the_released_image_is_small_and_has_no_source_info() {
    let path = root().join("proto/golden/released.binpb");
    assert!(fs::metadata(&path).unwrap().len() < 200_000);
    let released = image::read(&path).unwrap();
    assert!(
        released
            .file_descriptor_protos()
            .all(|file| file.source_code_info.is_none())
    );
}
