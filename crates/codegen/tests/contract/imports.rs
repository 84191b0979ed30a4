//! Versions of a contract know nothing of each other.

use std::fs;

use scribemed_codegen::{Error, Place};

use crate::inn::compile_folder;

/// Compiles two versions of a package, the second of which imports this file, and yet another package.
fn compile(imported: &str) -> Result<(), Error> {
    let folder = tempfile::tempdir().unwrap();
    for (path, package, imports) in [
        ("inn/v1/inn.proto", "inn.v1", String::new()),
        ("town/v1/town.proto", "town.v1", String::new()),
        (
            "inn/v2/inn.proto",
            "inn.v2",
            format!("import \"google/protobuf/duration.proto\";\nimport \"{imported}\";\n"),
        ),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text =
            format!("syntax = \"proto3\";\npackage {package};\n{imports}message Room {{}}\n");
        fs::write(path, text).unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    compile_folder(folder.path(), out.path())
}

#[test]
fn a_version_that_imports_another_is_refused_at_the_import() {
    let error = compile("inn/v1/inn.proto").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(
            "inn/v2/inn.proto:4:1: inn.v2: imports inn/v1/inn.proto, which is of another version"
        ),
        "{text}"
    );
    let Error::Contract(problems) = error else {
        unreachable!("{text}");
    };
    let [problem] = problems.as_slice() else {
        unreachable!("{text}");
    };
    assert_eq!(problem.place, Some(Place { line: 4, column: 1 }));
}

#[test]
fn what_is_shared_is_a_package_of_its_own() {
    assert!(compile("town/v1/town.proto").is_ok());
}
