//! How what is wrong is shown.

use std::path::{Path, PathBuf};

use scribemed_codegen::{Contract, Error};

use crate::inn::{FINE, Inn, compile};

#[test]
fn what_does_not_parse_is_shown_with_its_place() {
    let error = compile("syntax = \"proto3\";\npackage inn.v1;\nmessage {").unwrap_err();
    assert!(matches!(error, Error::Compile(_)), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("inn.proto") && message.contains('3'),
        "{message}"
    );
    let error = compile(&FINE.text().replace("RestResponse {}", "Other {}")).unwrap_err();
    assert!(error.to_string().contains("RestResponse"), "{error}");
}

#[test]
fn a_value_that_an_option_does_not_have_is_shown_with_its_place() {
    for (option, expect) in [
        ("(buf.validate.field).ignore = IGNORE_NEVER", "IGNORE_NEVER"),
        ("(buf.validate.field).ignore = 2", "buf.validate.Ignore"),
        ("(buf.validate.field).string.max_length = 2", "max_length"),
        ("(buf.validate.field).string.max_len = -2", "-2"),
    ] {
        let fields = &format!("string f = 1 [{option}];");
        let message = compile(&Inn { fields, ..FINE }.text())
            .unwrap_err()
            .to_string();
        let place = "inn/v1/inn.proto:9:";
        assert!(
            message.contains(place) && message.contains(expect),
            "{message}"
        );
    }
}

#[test]
fn every_problem_is_told_at_once_and_as_people_read() {
    let inn = Inn {
        method: "",
        fields: "string f = 1 [(buf.validate.field).int32.gt = 1];",
        ..FINE
    };
    let error = compile(&inn.text()).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 4, "{error}");
    // This is how cargo shows what the `main` of a build script returns.
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let missing = PathBuf::from("no/such/folder");
    let error = Contract::new()
        .root(&missing)
        .compile_to(Path::new("."))
        .unwrap_err();
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}
