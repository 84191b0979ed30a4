//! The commands of the guide do what it says.

use std::fs;

use crate::support::{root, text, tool};

const RUN: &str = "cargo run -p scribemed-contract -- ";

/// The commands in a guide: the lines of its blocks of `sh` that begin so, with those that go on behind a `\`.
fn commands(guide: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in guide.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap().replace("\\\n", " ");
        let lines = block
            .lines()
            .filter_map(|line| line.trim().strip_prefix(RUN));
        commands.extend(lines.map(str::to_owned));
    }
    commands
}

#[test]
fn every_command_of_the_guide_works() {
    let guide = fs::read_to_string(root().join("docs/guides/contract-tool.md")).unwrap();
    // In a folder of its own, with the contract beside it: what is written is nobody's.
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("contract.binpb");
    fs::write(&image, scribemed_proto::DESCRIPTOR_SET).unwrap();
    fs::create_dir_all(folder.path().join("docs/reference/contract")).unwrap();
    let golden = "docs/reference/contract/calls.mmd";
    fs::copy(root().join(golden), folder.path().join(golden)).unwrap();
    let config = guide
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    fs::write(folder.path().join("documentation.json"), config).unwrap();

    let commands = commands(&guide);
    for name in ["service-config", "docs", "openapi", "graph", "explain"] {
        assert!(
            commands.iter().any(|command| command.starts_with(name)),
            "the guide does not use {name}"
        );
    }
    for command in commands {
        // What is written to a file by the shell is checked by what is on the standard output.
        let command = command.split(" > ").next().unwrap();
        let mut args: Vec<&str> = command.split_whitespace().collect();
        if !args.contains(&"--image") {
            args.extend(["--image", image.to_str().unwrap()]);
        }
        let output = tool(folder.path(), &args);
        assert!(
            output.status.success(),
            "{command}: {}",
            text(&output.stderr)
        );
    }
    assert!(folder.path().join("openapi.json").exists());
}
