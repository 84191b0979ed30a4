//! A service says what it calls, and the build sees that it is there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use prost_reflect::DescriptorPool;
use scribemed_codegen::{Contract, policy};

/// A contract whose service declares these calls.
fn contract(folder: &Path, calls: &str) -> Contract {
    let text = format!(
        r#"syntax = "proto3";
package inn.v1;
import "scribemed/options/v1/policy.proto";
// Lets rooms.
service Inn {{
  option (scribemed.options.v1.service) = {{discovery_name: "inn" calls: [{calls}]}};
}}
service Bank {{
  option (scribemed.options.v1.service) = {{discovery_name: "bank"}};
  rpc Pay(PayRequest) returns (PayResponse) {{
    option (scribemed.options.v1.method) = {{timeout: {{seconds: 1}} public: true}};
  }}
}}
message PayRequest {{}}
message PayResponse {{}}
"#
    );
    fs::create_dir_all(folder.join("inn/v1")).unwrap();
    fs::write(folder.join("inn/v1/inn.proto"), text).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    Contract::new()
        .root(folder)
        .include(root.join("options"))
        .include(root.join("vendor"))
}

fn refusal(calls: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = tempfile::tempdir().unwrap();
    let result = contract(folder.path(), calls).compile_to(out.path());
    result.expect_err(calls).to_string()
}

#[test]
fn what_is_called_is_told_in_the_order_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let contract = contract(folder.path(), "\"inn.v1.Bank.Pay\"");
    let pool = DescriptorPool::decode(contract.image().unwrap().as_slice()).unwrap();
    let service = pool.get_service_by_name("inn.v1.Inn").unwrap();
    let mut problems = Vec::new();
    let read = policy::read(&pool, &service, &mut problems).unwrap();
    assert_eq!(read.calls, ["inn.v1.Bank.Pay"]);
    // An image tells comments, too.
    let file = service.parent_file();
    let info = file
        .file_descriptor_proto()
        .source_code_info
        .as_ref()
        .unwrap();
    let comments: Vec<&str> = info
        .location
        .iter()
        .filter_map(|at| at.leading_comments.as_deref())
        .collect();
    assert_eq!(comments, [" Lets rooms.\n"]);
}

#[test]
fn what_does_not_exist_or_is_named_twice_is_refused() {
    for missing in [
        "inn.v1.Bank.Payy",
        "inn.v1.Bank",
        "Pay",
        "",
        "inn.v2.Bank.Pay",
    ] {
        let said = refusal(&format!("\"{missing}\""));
        let expect =
            format!("calls {missing:?}, but there is no method of this name; write its full name");
        assert!(
            said.contains("inn.v1.Inn") && said.contains(&expect),
            "{said}"
        );
    }
    let said = refusal("\"inn.v1.Bank.Pay\", \"inn.v1.Bank.Pay\"");
    assert!(
        said.contains("names inn.v1.Bank.Pay in calls twice; once is enough"),
        "{said}"
    );
}
