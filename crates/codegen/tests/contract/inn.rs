//! A small contract, and how it is compiled.

use std::fs;
use std::path::Path;

use scribemed_codegen::{Contract, Error};

/// The text of a file `inn/v1/inn.proto` with this service and this message.
pub(crate) struct Inn<'a> {
    /// The options of the service.
    pub(crate) service: &'a str,
    /// The options of its method `Inn.Rest`.
    pub(crate) method: &'a str,
    /// The fields of its request.
    pub(crate) fields: &'a str,
}

pub(crate) const FINE: Inn<'_> = Inn {
    service: r#"option (scribemed.options.v1.service) = {discovery_name: "inn"};"#,
    method: "option (scribemed.options.v1.method) = {timeout: {seconds: 1} public: true};",
    fields: "",
};

impl Inn<'_> {
    pub(crate) fn text(&self) -> String {
        let Self {
            service,
            method,
            fields,
        } = self;
        format!(
            r#"syntax = "proto3";
package inn.v1;
import "buf/validate/validate.proto";
import "scribemed/options/v1/policy.proto";
service Inn {{
  {service}
  rpc Rest(RestRequest) returns (RestResponse) {{ {method} }}
}}
message RestRequest {{ {fields} }}
message RestResponse {{}}
enum Bed {{ BED_UNSPECIFIED = 0; BED_SOFT = 1; }}
"#
        )
    }
}

pub(crate) fn compile(text: &str) -> Result<String, Error> {
    let folder = tempfile::tempdir().unwrap();
    let proto = folder.path().join("inn/v1");
    fs::create_dir_all(&proto).unwrap();
    fs::write(proto.join("inn.proto"), text).unwrap();
    let out = tempfile::tempdir().unwrap();
    compile_folder(folder.path(), out.path())?;
    assert!(out.path().join("descriptor.binpb").is_file());
    Ok(fs::read_to_string(out.path().join("inn.v1.rs")).unwrap())
}

/// Compiles all contracts in `folder`.
pub(crate) fn compile_folder(folder: &Path, out: &Path) -> Result<(), Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    Contract::new()
        .root(folder)
        .include(root.join("options"))
        .include(root.join("vendor"))
        .compile_to(out)
}

/// The contract is refused, and the message holds each of these, one after the other.
pub(crate) fn refused(inn: &Inn<'_>, expect: &[&str]) {
    let error = compile(&inn.text()).expect_err(expect[expect.len() - 1]);
    let message = error.to_string();
    let mut rest = message.as_str();
    for part in expect {
        let Some(at) = rest.find(part) else {
            panic!("`{part}` is not where it should be in: {message}");
        };
        rest = &rest[at + part.len()..];
    }
    assert_eq!(message.lines().count(), 2, "one problem: {message}");
}
