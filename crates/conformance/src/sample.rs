//! A contract for tests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use prost_reflect::DescriptorPool;

const TEXT: &str = r#"
syntax = "proto2";
package sample;
message Root {
  optional string text = 1;
  repeated Leaf leaves = 2;
  map<string, Leaf> by_name = 3;
  map<sint64, bool> by_number = 4;
  map<uint32, bool> by_size = 5;
  map<bool, bool> by_truth = 6;
  oneof choice {
    Leaf circle = 7;
    bool square = 8;
  }
  optional group Knot = 9 {
    optional int32 inner = 1;
  }
  extensions 100 to 200;
}
message Leaf {
  optional string text = 1;
  optional Leaf leaf = 2;
}
message Holder {
  map<string, Root> roots = 1;
}
message Other {}
extend Root {
  optional Leaf more = 100;
  repeated int32 many = 101;
}
"#;

pub(crate) fn pool() -> DescriptorPool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sample.proto"), TEXT).unwrap();
    let mut compiler = protox::Compiler::new([folder.path()]).unwrap();
    compiler.open_file("sample.proto").unwrap();
    compiler.descriptor_pool()
}
