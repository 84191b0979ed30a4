//! Contracts to write of, and the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use scribemed_contract::image;
use scribemed_contract::reference::Reference;
use tempfile::TempDir;

/// Where the contract of this repository is.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The contract of this repository.
pub(crate) fn ours() -> Reference {
    Reference::read(image::open(None, &root(), &[]).unwrap()).unwrap()
}

/// A folder with the contract `inn.v1` of this text.
pub(crate) fn inn(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let proto = folder.path().join("proto/inn/v1");
    fs::create_dir_all(&proto).unwrap();
    let head = r#"syntax = "proto3";
package inn.v1;
import "buf/validate/validate.proto";
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/timestamp.proto";
import "scribemed/options/v1/policy.proto";
"#;
    fs::write(proto.join("inn.proto"), format!("{head}{text}")).unwrap();
    let module = |name: &str| format!("  - path: {}\n", root().join("proto").join(name).display());
    let config = format!(
        "version: v2\nmodules:\n  - path: proto\n{}{}",
        module("options"),
        module("vendor")
    );
    fs::write(folder.path().join("buf.yaml"), config).unwrap();
    folder
}

/// What the contract `inn.v1` of this text says.
pub(crate) fn reference(text: &str) -> Reference {
    let folder = inn(text);
    Reference::read(image::open(None, folder.path(), &[]).unwrap()).unwrap()
}

/// An inn with one method, of these options, and these fields in its request.
pub(crate) fn with_fields(fields: &str) -> String {
    format!(
        r#"service Inn {{
  option (scribemed.options.v1.service) = {{discovery_name: "inn"}};
  rpc Rest(RestRequest) returns (RestResponse) {{
    option (google.api.http) = {{post: "/v1/rest" body: "*"}};
    option (scribemed.options.v1.method) = {{timeout: {{seconds: 1}} public: true}};
  }}
}}
message RestRequest {{ {fields} }}
message RestResponse {{}}
enum Bed {{ BED_UNSPECIFIED = 0; BED_SOFT = 1; BED_HARD = 2; }}
"#
    )
}

/// Runs the program in `folder`.
pub(crate) fn tool(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scribemed-contract"))
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// What it wrote, where it must succeed.
pub(crate) fn said(folder: &Path, args: &[&str]) -> String {
    let output = tool(folder, args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The one line that it complains with, and its exit code.
pub(crate) fn complaint(folder: &Path, args: &[&str]) -> (String, i32) {
    let output = tool(folder, args);
    let line = text(&output.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    (line.trim_end().to_owned(), output.status.code().unwrap())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
