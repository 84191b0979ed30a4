//! What is generated of a contract that is refused in parts, and of packages that hold messages alone.

use std::fs;
use std::path::Path;

use scribemed_codegen::Contract;

use crate::inn::compile_folder;

const ROOM: &str = r#"syntax = "proto3";
package inn.rooms;
import "buf/validate/validate.proto";
message Room { string name = 1 [(buf.validate.field).string.min_len = 1]; }
"#;

const FLAWED: &str = r#"syntax = "proto3";
package inn.flawed;
import "inn/room.proto";
import "buf/validate/validate.proto";
message Sound { inn.rooms.Room room = 1; }
message Flawed {
  message Inner { string name = 1 [(buf.validate.field).string = {min_len: 2, max_len: 1}]; }
}
"#;

fn write(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder.join("inn")).unwrap();
    fs::write(folder.join("inn").join(name), text).unwrap();
}

#[test]
fn messages_of_a_package_without_a_service_are_checked_too() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path(), "room.proto", ROOM);
    // A second time, what the first has written is in the way of nothing.
    for _ in 0..2 {
        compile_folder(folder.path(), out.path()).unwrap();
        let text = fs::read_to_string(out.path().join("inn.rooms.rs")).unwrap();
        assert_eq!(text.matches("Validate for Room").count(), 1, "{text}");
    }
}

#[test]
fn what_can_be_is_generated_and_the_rest_is_told() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(folder.path(), "room.proto", ROOM);
    write(folder.path(), "flawed.proto", FLAWED);
    write(
        folder.path(),
        "new.proto",
        "edition = \"2023\";\npackage inn.new;\n",
    );
    write(
        folder.path(),
        "newer.proto",
        "syntax = \"proto3\";\npackage inn.newer;\nimport \"inn/new.proto\";\n",
    );
    let vendor = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto/vendor");
    let problems = Contract::new()
        .root(folder.path())
        .include(vendor)
        .compile_what_can_be(out.path())
        .unwrap();

    let elements: Vec<_> = problems
        .iter()
        .map(|problem| problem.element.as_str())
        .collect();
    assert_eq!(
        elements,
        [
            "inn/new.proto",
            "inn/newer.proto",
            "inn.flawed.Flawed.Inner.name"
        ]
    );
    assert!(
        problems[0].message.contains("new.proto:1:1"),
        "{}",
        problems[0]
    );
    let flawed = fs::read_to_string(out.path().join("inn.flawed.rs")).unwrap();
    for kind in ["Sound", "Flawed", "flawed::Inner"] {
        assert!(
            flawed.contains(&format!("Validate for {kind} ")),
            "{flawed}"
        );
    }
    let packages = fs::read_to_string(out.path().join("packages.rs")).unwrap();
    assert!(packages.contains("pub mod rooms"), "{packages}");
    assert!(!packages.contains("new"), "{packages}");
}
