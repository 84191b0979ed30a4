//! The calls of the reference, pasted into a shell.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use scribemed_contract::docs::{self, Form};
use tokio::process::Command;

use crate::peer::Peer;
use crate::support::{ours, text};

#[tokio::test]
#[ignore = "needs grpcurl, named by SCRIBEMED_GRPCURL: `cargo xtask test` runs it"]
async fn every_call_can_be_pasted() {
    let grpcurl = std::env::var("SCRIBEMED_GRPCURL").expect("SCRIBEMED_GRPCURL names grpcurl");
    let peer = Peer::start(&[0]).await;
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("contract.binpb");
    fs::write(&image, scribemed_proto::DESCRIPTOR_SET).unwrap();
    // The peer knows no contract and so tells none: grpcurl gets it from a file.
    let program = folder.path().join("grpcurl");
    let script = format!(
        "#!/bin/sh\nexec '{grpcurl}' -protoset '{}' \"$@\"\n",
        image.display()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );

    let reference = ours();
    let files = docs::files(&reference, &[Form::Markdown]);
    let mut pasted = 0;
    for block in files
        .iter()
        .flat_map(|(_, page)| page.split("```sh\n").skip(1))
    {
        let command = block.split("```").next().unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .env("PATH", &path)
            .env("TOKEN", "a.b.c");
        for service in reference.services() {
            let name = service.policy.discovery_name.to_uppercase();
            shell.env(format!("{name}_ADDRESS"), &peer.address);
        }
        let output = shell.output().await.unwrap();
        assert!(
            output.status.success(),
            "{command}\n{}",
            text(&output.stderr)
        );
        pasted += 1;
    }
    let paths: Vec<String> = reference
        .methods()
        .map(|(_, method)| method.path.clone())
        .collect();
    assert_eq!(pasted, paths.len());
    let mut called: Vec<String> = peer.calls().into_iter().map(|call| call.path).collect();
    let mut expected = paths;
    called.sort();
    expected.sort();
    assert_eq!(called, expected);
}
