#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use tempfile::TempDir;

use super::*;

/// A repository of the given files, which lie where the real ones do.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Crates of the names and folders given, each with lines of its manifest after the name.
fn workspace(crates: &[(&str, &str, &str)], golden: &str) -> TempDir {
    let members: Vec<_> = crates.iter().map(|(folder, ..)| folder).collect();
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n");
    let root = tree(&[("Cargo.toml", &manifest), (graph::GOLDEN, golden)]);
    for (folder, name, rest) in crates {
        let folder = root.path().join(folder);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/lib.rs"), "").unwrap();
        fs::write(
            folder.join("Cargo.toml"),
            format!("[package]\nname = \"{name}\"\n\n{rest}\n"),
        )
        .unwrap();
    }
    root
}

fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_dependency_must_be_in_the_golden_graph_and_the_graph_must_be_true() {
    let crates = [
        ("crates/rpc", "scribemed-rpc", ""),
        (
            "crates/auth",
            "scribemed-auth",
            "[dependencies]\nscribemed-rpc = { path = \"../rpc\" }",
        ),
    ];
    let root = workspace(&crates, "scribemed-client -> scribemed-rpc\n");
    let bless = "once it is meant so: cargo xtask tidy --bless";
    assert_eq!(
        said(&graph::check(root.path()).unwrap()),
        [
            format!(
                "crates/auth/Cargo.toml:5: `scribemed-auth -> scribemed-rpc` is not in xtask/golden/crates.txt; {bless}"
            ),
            format!(
                "xtask/golden/crates.txt:1: `scribemed-client -> scribemed-rpc` is no longer so; {bless}"
            ),
        ]
    );
    graph::bless(root.path()).unwrap();
    assert_eq!(
        fs::read_to_string(root.path().join(graph::GOLDEN)).unwrap(),
        "scribemed-auth -> scribemed-rpc\n"
    );
    assert_eq!(said(&graph::check(root.path()).unwrap()), [""; 0]);
}

#[test]
fn a_blessing_does_not_lift_the_rules() {
    fn check(from: (&str, &str), to: (&str, &str), kind: &str, expect: Option<&str>) {
        let up = "../".repeat(from.0.split('/').count());
        let dependency = format!("[{kind}]\n{} = {{ path = \"{up}{}\" }}", to.1, to.0);
        let root = workspace(&[(from.0, from.1, &dependency), (to.0, to.1, "")], "");
        graph::bless(root.path()).unwrap();
        let expect = expect.map(|right| {
            format!(
                "{}/Cargo.toml:5: `{}` depends on `{}`; {right}",
                from.0, from.1, to.1
            )
        });
        assert_eq!(
            said(&graph::check(root.path()).unwrap()),
            expect.into_iter().collect::<Vec<_>>()
        );
    }
    let rpc = ("crates/rpc", "scribemed-rpc");
    let auth = ("crates/auth", "scribemed-auth");
    let proto = ("crates/proto", "scribemed-proto");
    let codegen = ("crates/codegen", "scribemed-codegen");
    let telemetry = ("crates/telemetry", "scribemed-telemetry");
    let transcription = ("services/transcription", "scribemed-transcription");
    let documentation = ("services/documentation", "scribemed-documentation");
    let cli = ("services/scribemed", "scribemed");

    check(
        auth,
        cli,
        "dependencies",
        Some("crates/ know nothing of the services"),
    );
    check(
        documentation,
        transcription,
        "dependencies",
        Some("services talk through the contract, scribemed-proto, only"),
    );
    check(
        rpc,
        telemetry,
        "dependencies",
        Some("scribemed-rpc depends on no crate of ours"),
    );
    check(
        telemetry,
        auth,
        "dependencies",
        Some("the crates between scribemed-rpc and the client and server do not know each other"),
    );
    check(
        proto,
        codegen,
        "dependencies",
        Some(
            "the contract depends on scribemed-rpc only; scribemed-codegen belongs into [build-dependencies]",
        ),
    );
    check(proto, codegen, "build-dependencies", None);
    check(documentation, transcription, "dev-dependencies", None);
    check(cli, transcription, "dependencies", None);
    check(telemetry, rpc, "dependencies", None);
}

#[test]
fn only_the_client_and_the_server_name_a_transport() {
    fn check(path: &str, text: &str, expect: &[&str]) {
        let root = tree(&[(path, text)]);
        let findings = transport::check(&files::read(root.path()).unwrap());
        let expect: Vec<_> = expect
            .iter()
            .map(|what| format!("{path}:{what}; only crates/client and crates/server do"))
            .collect();
        assert_eq!(said(&findings), expect);
    }
    let rust = "crates/service/src/run.rs";
    check(
        rust,
        "use std::fmt;\nuse hyper::Request;\n",
        &["2: the code names `hyper::`"],
    );
    check(
        rust,
        "use tonic::transport::Server;\n",
        &["1: the code names `tonic::transport`"],
    );
    check(
        rust,
        "use tonic::{Status, transport::Server};\n",
        &["1: the code names `tonic::transport`"],
    );
    check(
        rust,
        "//! Not hyper::Request.\nuse my_hyper::Request;\n",
        &[],
    );
    check(
        rust,
        "#[cfg(test)]\nmod tests {\n    use hyper::Request;\n}\n",
        &[],
    );
    check("crates/service/tests/run.rs", "use hyper::Request;\n", &[]);
    check("crates/server/src/serve.rs", "use hyper::Request;\n", &[]);
    let manifest = "crates/service/Cargo.toml";
    check(
        manifest,
        "[dependencies]\nhyper.workspace = true\n",
        &["2: the crate depends on `hyper`"],
    );
    check(
        manifest,
        "[dev-dependencies]\nhyper.workspace = true\n",
        &[],
    );
}

#[test]
fn files_keep_their_size_and_name() {
    fn check(path: &str, text: &str, expect: &[&str]) {
        let root = tree(&[(path, text)]);
        assert_eq!(
            said(&sizes::check(&files::read(root.path()).unwrap())),
            expect
        );
    }
    let lines = |count: usize| "// Line.\n".repeat(count);
    check("crates/a/src/b.rs", &lines(600), &[]);
    check(
        "crates/a/src/b.rs",
        &lines(601),
        &[
            "crates/a/src/b.rs:601: the file has 601 lines; at most 600 are allowed; one file for each concept",
        ],
    );
    check(
        "crates/a/src/b.rs",
        &format!("{}#[cfg(test)]\n{}", lines(600), lines(600)),
        &[],
    );
    check("crates/a/src/b/tests.rs", &lines(900), &[]);
    check("target/debug/b.rs", &lines(900), &[]);
    check(
        "services/a/src/main.rs",
        &lines(61),
        &[
            "services/a/src/main.rs:61: main.rs has 61 lines; at most 60 are allowed; \
           logic belongs into the library or a module",
        ],
    );
    check("crates/a/build.rs", &lines(41), &[]);
    check(
        "build.rs",
        &lines(41),
        &[
            "build.rs:41: the root build.rs has 41 lines; at most 40 are allowed; logic belongs into crates/codegen",
        ],
    );
    check(
        "crates/a/src/b/mod.rs",
        "",
        &["crates/a/src/b/mod.rs:1: mod.rs is not used here; call it crates/a/src/b.rs"],
    );
}

#[test]
fn no_line_ends_in_white_space() {
    let root = tree(&[
        ("a.md", "One.\nTwo. \n"),
        ("b.toml", "one = 1\r\n"),
        ("proto/vendor/c.proto", "// Theirs. \n"),
        (".git/d.md", "Git's. \n"),
    ]);
    assert_eq!(
        said(&contents::check(&files::read(root.path()).unwrap())),
        [
            "a.md:2: white space ends the line; a line ends with its last visible character",
            "b.toml:1: white space ends the line; a line ends with its last visible character",
        ]
    );
}

#[test]
fn each_outside_dependency_is_explained() {
    let manifest = "[workspace.dependencies]\n# Ours.\nmine = { path = \"mine\" }\n\nprost = \"1\"\n\
                    prost-types = \"1\"\ntokio = { version = \"1\" }\n\n[package]\nname = \"x\"\n";
    let root = tree(&[("Cargo.toml", manifest)]);
    assert_eq!(
        said(&contents::check(&files::read(root.path()).unwrap())),
        [
            "docs/dependencies.md:1: the file is missing; it names each dependency and why it is here"
        ]
    );
    let root = tree(&[
        ("Cargo.toml", manifest),
        (
            "docs/dependencies.md",
            "- `prost-types`: messages\n- tokio\n",
        ),
    ]);
    assert_eq!(
        said(&contents::check(&files::read(root.path()).unwrap())),
        [
            "Cargo.toml:5: `prost` is not named in docs/dependencies.md; \
          a line there says what it does and what else was weighed"
        ]
    );
}

#[test]
fn relative_links_lead_somewhere() {
    let text = "[a](b.md) [c](../README.md#top) [d](https://x.test/y) [e](#here) `[f](g.md)` [`h`](i.md)\n\
                ```\n[j](k.md)\n```\n[l]: m.md\n[n](<o.md> \"title\")\n";
    let root = tree(&[("docs/a.md", text), ("docs/b.md", ""), ("README.md", "")]);
    assert_eq!(
        said(&links::check(
            root.path(),
            &files::read(root.path()).unwrap()
        )),
        [
            "docs/a.md:1: the link `i.md` leads nowhere; a path relative to this file that exists",
            "docs/a.md:5: the link `m.md` leads nowhere; a path relative to this file that exists",
            "docs/a.md:6: the link `o.md` leads nowhere; a path relative to this file that exists",
        ]
    );
}
