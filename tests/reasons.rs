//! The reasons that the platform gives are those that the contract names.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use prost_reflect::DescriptorPool;

/// The names in capitals between quotes in lines of `source` that hold `mark`, tests apart.
fn names(source: &'static str, mark: &str) -> BTreeSet<&'static str> {
    let code = source.split("#[cfg(test)]").next().unwrap();
    code.lines()
        .filter(|line| line.contains(mark))
        .filter_map(|line| line.split('"').nth(1))
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
        .collect()
}

#[test]
fn each_reason_of_the_platform_is_in_the_contract_and_none_is_there_alone() {
    // Constants cannot be listed at run time; a new one must be found all the same, so the source is read.
    let rpc = names(include_str!("../crates/rpc/src/fault.rs"), "pub const");
    let auth = names(
        include_str!("../crates/auth/src/verifier/error.rs"),
        "=> \"",
    );
    assert!(
        rpc.contains("UPSTREAM_FAILED") && auth.contains("TOKEN_EXPIRED"),
        "the reasons are where they were: {rpc:?}, {auth:?}"
    );
    let given: BTreeSet<&str> = rpc.union(&auth).copied().collect();

    let pool = DescriptorPool::decode(scribemed_proto::DESCRIPTOR_SET).unwrap();
    let contract = pool
        .get_enum_by_name("scribemed.options.v1.ErrorReason")
        .unwrap();
    let values: Vec<_> = contract.values().collect();
    let named: BTreeSet<&str> = values
        .iter()
        .map(|value| value.name().strip_prefix("ERROR_REASON_").unwrap())
        .collect();
    let missing: Vec<_> = given.difference(&named).collect();
    assert!(
        missing.is_empty(),
        "add to proto/options/scribemed/options/v1/error_reason.proto: {missing:?}"
    );
    let unknown: Vec<_> = named.difference(&given).collect();
    assert!(unknown.is_empty(), "nothing gives the reason {unknown:?}");
}
