//! What `cargo xtask new-service` and `new-method` make builds, passes every check, and answers grpcurl, as it is: in a copy of
//! the repository, with the real tools.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../src/mirror.rs"]
mod mirror;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

struct Copy {
    mirror: mirror::Mirror,
}

impl Copy {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        // target/debug/xtask
        let target = Path::new(env!("CARGO_BIN_EXE_xtask"))
            .ancestors()
            .nth(2)
            .unwrap();
        let mirror = mirror::make(root, &target.join("copies")).unwrap();
        Self { mirror }
    }

    /// A program, with what it said to standard output and standard error.
    fn run(&self, mut command: Command) -> (bool, String) {
        command
            .current_dir(&self.mirror.folder)
            .env("CARGO_MANIFEST_DIR", self.mirror.folder.join("xtask"))
            // Not where this one is built, whatever its Cargo was told.
            .env("CARGO_TARGET_DIR", self.mirror.folder.join("target"))
            .env_remove("CARGO_BUILD_BUILD_DIR");
        let output = command.output().unwrap();
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    #[track_caller]
    fn must(&self, program: impl AsRef<Path>, args: &[&str]) -> String {
        let mut command = Command::new(program.as_ref());
        command.args(args);
        let (success, said) = self.run(command);
        assert!(success, "{} {args:?}: {said}", program.as_ref().display());
        said
    }

    #[track_caller]
    fn xtask(&self, args: &[&str]) -> String {
        self.must(env!("CARGO_BIN_EXE_xtask"), args)
    }

    /// What a refused xtask says; nothing may be changed by it.
    #[track_caller]
    fn refused(&self, args: &[&str]) -> String {
        let before = self.must("git", &["status", "--short"]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(args);
        let (success, said) = self.run(command);
        assert!(!success, "{args:?} should be refused: {said}");
        assert_eq!(self.must("git", &["status", "--short"]), before);
        said
    }
}

/// The platform in the copy.
struct Platform {
    process: Child,
    addresses: Vec<(String, String)>,
}

impl Platform {
    fn start(copy: &Copy) -> Self {
        let mut process = Command::new(copy.mirror.folder.join("target/debug/scribemed"))
            .args(["up", "--free-ports", "--no-admin", "--data", "data"])
            .current_dir(&copy.mirror.folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut addresses = Vec::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] if !addresses.is_empty() => break,
                [name, address, ..] if line.starts_with("  ") => {
                    addresses.push(((*name).to_owned(), (*address).to_owned()));
                }
                _ => {}
            }
        }
        assert!(!addresses.is_empty(), "it did not come up");
        Self { process, addresses }
    }

    fn address(&self, name: &str) -> &str {
        let found = self.addresses.iter().find(|(service, _)| service == name);
        &found.unwrap().1
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // One that is gone cannot be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn tool(variable: &str) -> PathBuf {
    let program = std::env::var_os(variable);
    program
        .unwrap_or_else(|| panic!("{variable} must name the program"))
        .into()
}

#[test]
#[ignore = "compiles, and needs buf and grpcurl, named by SCRIBEMED_BUF and SCRIBEMED_GRPCURL: `cargo xtask test` runs it"]
fn a_new_service_is_whole() {
    let copy = Copy::new();
    refuses_what_does_not_fit(&copy);
    copy.xtask(&["new-service", "billing", "--resource", "invoice"]);
    copy.xtask(&["new-method", "billing", "SendInvoice"]);
    copy.xtask(&["new-method", "billing", "CountInvoices"]);
    // One with the default name, and a method of a service that people wrote.
    copy.xtask(&["new-service", "lab"]);
    copy.xtask(&[
        "new-method",
        "documentation",
        "AmendNote",
        "--permission",
        "amend:notes",
    ]);
    let said = copy.refused(&["new-service", "billing"]);
    assert!(said.contains("services/billing already"), "{said}");
    is_in_order(&copy);
    answers(&copy);
}

/// Nothing is written before everything is known to fit.
fn refuses_what_does_not_fit(copy: &Copy) {
    for (args, expect) in [
        (&["new-service", "auth"][..], "services/auth already"),
        (&["new-service", "audit"], "crates/audit already"),
        (&["new-service", "Billing"], "in lower case"),
        (&["new-service", "match"], "a word of Rust"),
        (
            &["new-service", "charts", "--resource", "note"],
            "read:notes",
        ),
        (
            &["new-method", "billing", "SendInvoice"],
            "there is no service",
        ),
        (
            &["new-method", "auth", "RotateKeys"],
            "rpc RotateKeys( already",
        ),
        (&["new-method", "auth", "GetSubject"], "--permission"),
        (
            &["new-method", "transcription", "GetX", "--version", "v1"],
            "is deprecated",
        ),
    ] {
        let said = copy.refused(args);
        assert!(said.replace('`', "").contains(expect), "{args:?}: {said}");
    }
    let planned = copy.xtask(&[
        "new-service",
        "billing",
        "--resource",
        "invoice",
        "--dry-run",
    ]);
    assert!(
        planned.contains("would be new      services/billing/src/main.rs"),
        "{planned}"
    );
    assert_eq!(copy.must("git", &["status", "--short"]), "");
}

/// As it is: formatted, linted, tested.
fn is_in_order(copy: &Copy) {
    copy.must("cargo", &["fmt", "--all", "--check"]);
    copy.xtask(&["proto"]);
    copy.xtask(&["tidy"]);
    let packages = ["billing", "lab", "documentation"].map(|name| format!("scribemed-{name}"));
    let mut clippy = vec!["clippy", "--all-targets", "--package", "scribemed"];
    let mut test = vec![
        "test",
        "--package",
        "scribemed-billing",
        "--package",
        "scribemed-lab",
    ];
    for package in &packages {
        clippy.extend(["--package", package]);
    }
    clippy.extend(["--", "--deny", "warnings"]);
    copy.must("cargo", &clippy);
    test.extend([
        "--package",
        "scribemed-proto",
        "--package",
        "scribemed-documentation",
    ]);
    test.extend(["--test", "service", "--test", "contract", "--lib"]);
    let tested = copy.must("cargo", &test);
    assert!(
        tested.contains("a_method_that_is_not_written_says_so ... ok"),
        "{tested}"
    );
    copy.must("cargo", &["test", "--package", "scribemed", "--bins"]);
    // The reference knows them, and what they call.
    copy.must(
        "cargo",
        &[
            "test",
            "--package",
            "scribemed-contract",
            "--test",
            "exports",
        ],
    );
}

/// It answers grpcurl.
fn answers(copy: &Copy) {
    copy.must("cargo", &["build", "--package", "scribemed"]);
    let platform = Platform::start(copy);
    let address = platform.address("billing").to_owned();
    let grpcurl = tool("SCRIBEMED_GRPCURL");
    let service = "scribemed.billing.v1.BillingService";
    let listed = copy.must(&grpcurl, &["-plaintext", &address, "list"]);
    assert!(listed.contains(service), "{listed}");
    let method = format!("{service}.CreateInvoice");
    let described = copy.must(&grpcurl, &["-plaintext", &address, "describe", &method]);
    assert!(described.contains("write:invoices"), "{described}");
    let token = |permission: &str| {
        let mut command = Command::new(copy.mirror.folder.join("target/debug/scribemed"));
        command.args(["token", "--data", "data", "--permissions", permission]);
        for (name, address) in &platform.addresses {
            let variable = format!("{}_SERVICE_URL", name.to_uppercase());
            command.env(variable, format!("http://{address}"));
        }
        let (success, said) = copy.run(command);
        assert!(success, "{said}");
        format!("authorization: Bearer {}", said.trim())
    };
    let (read, write) = (token("read:invoices"), token("write:invoices"));
    let call = |token: &str, method: &str, request: &str| {
        let method = format!("{service}/{method}");
        let mut command = Command::new(&grpcurl);
        command.args(["-plaintext", "-H", token, "-d", request, &address, &method]);
        copy.run(command)
    };
    let (success, made) = call(&write, "CreateInvoice", r#"{"title": "First"}"#);
    assert!(success && made.contains("\"title\": \"First\""), "{made}");
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let id = made["invoice"]["id"].as_str().unwrap();
    let (success, got) = call(
        &read,
        "GetInvoice",
        &format!("{{\"invoice_id\": \"{id}\"}}"),
    );
    let got: serde_json::Value = serde_json::from_str(&got).unwrap();
    assert!(success && got == made, "{got}");
    let (success, refused) = call(&write, "CreateInvoice", "{}");
    assert!(!success && refused.contains("title"), "{refused}");
    let (success, unwritten) = call(&write, "SendInvoice", "{}");
    assert!(
        !success && unwritten.contains("Unimplemented"),
        "{unwritten}"
    );
    assert!(unwritten.contains("METHOD_UNKNOWN"), "{unwritten}");
    // A permission of a new method is granted to the operator.
    assert!(token("amend:notes").len() > 100);
}
