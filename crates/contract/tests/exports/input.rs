//! Bad input: one clear line, exit code 2.

use std::fs;

use crate::support::{complaint, inn, root, with_fields};

const COMMANDS: [&[&str]; 5] = [
    &["graph"],
    &["openapi"],
    &["explain", "Rest"],
    &["service-config", "inn"],
    &["docs", "--out", "docs"],
];

#[test]
fn an_image_that_is_corrupt_cut_off_or_not_there_is_refused_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let whole = scribemed_proto::DESCRIPTOR_SET;
    fs::write(folder.path().join("cut.binpb"), &whole[..whole.len() / 2]).unwrap();
    fs::write(
        folder.path().join("noise.binpb"),
        b"\xff\xfe, and no contract",
    )
    .unwrap();
    fs::write(folder.path().join("empty.binpb"), b"").unwrap();
    for image in ["cut.binpb", "noise.binpb", "empty.binpb", "none.binpb"] {
        for command in COMMANDS {
            let args = [command, &["--image", image]].concat();
            let (line, code) = complaint(folder.path(), &args);
            assert_eq!(code, 2, "{line}");
            assert!(line.starts_with(&format!("error: {image} ")), "{line}");
            assert!(line.contains("buf build -o"), "{line}");
        }
    }
}

#[test]
fn a_whole_image_says_the_same_as_the_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("whole.binpb"),
        scribemed_proto::DESCRIPTOR_SET,
    )
    .unwrap();
    for command in [
        &["graph"][..],
        &["openapi"],
        &["service-config", "documentation"],
    ] {
        let with_image = [command, &["--image", "whole.binpb"]].concat();
        assert_eq!(
            crate::support::said(folder.path(), &with_image),
            crate::support::said(&root(), command)
        );
    }
}

#[test]
fn a_contract_without_a_list_of_modules_names_what_it_imports() {
    let greeter = root().join("examples/greeter");
    let (line, code) = complaint(&greeter, &["explain", "SayHello"]);
    assert_eq!(code, 2);
    assert!(
        line.contains("import 'buf/validate/validate.proto' not found"),
        "{line}"
    );
    let include = [
        "--include",
        "../../proto/options",
        "--include",
        "../../proto/vendor",
    ];
    let args = [&["explain", "SayHello"][..], &include].concat();
    let text = crate::support::said(&greeter, &args);
    assert!(
        text.starts_with("greeter.v1.GreeterService.SayHello\n"),
        "{text}"
    );
}

#[test]
fn a_folder_without_a_contract_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (line, code) = complaint(folder.path(), &["graph"]);
    assert_eq!(code, 2);
    assert_eq!(
        line,
        "error: . has no folder `proto`; run this where the contract is, or name an image with --image FILE"
    );
}

#[test]
fn a_contract_that_does_not_compile_is_one_line_with_its_place() {
    let folder = inn("message Bed { strin name = 1; }");
    let (line, code) = complaint(folder.path(), &["graph"]);
    assert_eq!(code, 2);
    assert!(line.contains("inn/v1/inn.proto"), "{line}");
    assert!(line.contains("strin"), "{line}");
}

#[test]
fn a_contract_that_is_refused_names_the_element() {
    let text = with_fields("").replace("public: true", "");
    let (line, code) = complaint(inn(&text).path(), &["graph"]);
    assert_eq!(code, 2);
    assert!(line.contains("inn.v1.Inn.Rest"), "{line}");
    assert!(line.contains("permissions"), "{line}");
}

#[test]
fn a_call_of_what_does_not_exist_is_refused() {
    let text = with_fields("").replace(
        "discovery_name: \"inn\"",
        "discovery_name: \"inn\" calls: [\"inn.v1.Inn.Sleep\"]",
    );
    let (line, code) = complaint(inn(&text).path(), &["graph"]);
    assert_eq!(code, 2);
    assert!(
        line.contains("calls \"inn.v1.Inn.Sleep\", but there is no method of this name"),
        "{line}"
    );
}

#[test]
fn a_file_without_a_service_is_refused() {
    let (line, code) = complaint(inn("message Bed {}").path(), &["graph"]);
    assert_eq!(code, 2);
    assert!(
        line.contains("there is no service in the contract"),
        "{line}"
    );
}

#[test]
fn an_unknown_name_is_answered_with_those_that_are_like_it() {
    let (line, code) = complaint(
        &root(),
        &["explain", "documentation.v2.DocumentationService.SingNote"],
    );
    assert_eq!(code, 2);
    assert!(
        line.contains("did you mean scribemed.documentation.v2.DocumentationService.SignNote"),
        "{line}"
    );
    let (line, code) = complaint(&root(), &["service-config", "documentaton"]);
    assert_eq!(code, 2);
    assert!(line.contains("did you mean documentation"), "{line}");
    let (line, code) = complaint(&root(), &["explain", "GetNote"]);
    assert_eq!(code, 2);
    assert!(line.contains("is a method of several services"), "{line}");
}
