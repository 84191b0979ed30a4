//! Generates from protovalidate's cases, which `SCRIBEMED_PROTOVALIDATE` tells where to find: the folder of the Go module
//! `github.com/bufbuild/protovalidate`. Without it the executor is built with no case.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use scribemed_codegen::{Contract, Problem};

const MODULE: &str = "SCRIBEMED_PROTOVALIDATE";
const CASES: &str = "buf.validate.conformance.cases";
/// A contract of ours with every standard rule, which is compared with another implementation, too.
const OURS: &str = "rules.v1";

#[allow(
    clippy::print_stdout,
    reason = "this is how a build script speaks to cargo"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed={MODULE}");
    println!("cargo::rerun-if-changed=proto");
    println!("cargo::rerun-if-changed=../../proto/vendor/buf");
    println!("cargo::rerun-if-changed=../../tests/rules/proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let root = out.join("proto");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    copy(Path::new("proto/buf"), &root.join("buf"))?;
    copy(Path::new("../../proto/vendor/buf"), &root.join("buf"))?;
    copy(Path::new("../../tests/rules/proto"), &root)?;
    if let Some(module) = env::var_os(MODULE).filter(|module| !module.is_empty()) {
        let cases = Path::new(&module)
            .join("proto/protovalidate-testing")
            .join(CASES.replace('.', "/"));
        println!("cargo::rerun-if-changed={}", cases.display());
        copy(&cases, &root.join(CASES.replace('.', "/")))
            .map_err(|error| format!("{MODULE} names no protovalidate: {error}"))?;
    }
    let problems = Contract::new().root(&root).compile_what_can_be(&out)?;
    let pool = DescriptorPool::decode(fs::read(out.join("descriptor.binpb"))?.as_slice())?;
    fs::write(out.join("cases.rs"), tables(&pool, &problems)?)?;
    Ok(())
}

/// Copies the `.proto` files of a folder and those below it. What lies in Go's cache may not be written to; the copies may.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else if path.extension().is_some_and(|it| it == "proto") {
            let text = fs::read(&path).map_err(failed)?;
            fs::write(to.join(name), text).map_err(failed)?;
        }
    }
    Ok(())
}

/// What checks each message, by its full name, and what was refused, by element.
fn tables(pool: &DescriptorPool, problems: &[Problem]) -> Result<String, std::fmt::Error> {
    let mut names: Vec<_> = pool
        .all_messages()
        .filter(|message| {
            let package = message.package_name();
            (package.starts_with(CASES) || package == OURS) && !message.is_map_entry()
        })
        .map(|message| (message.full_name().to_owned(), rust(&message)))
        .collect();
    names.sort();
    let mut out = "static CHECKS: &[(&str, Check)] = &[\n".to_owned();
    for (name, path) in names {
        writeln!(out, "    ({name:?}, check::<packages::{path}>),")?;
    }
    out.push_str("];\n\nstatic REFUSED: &[(&str, &str)] = &[\n");
    for Problem {
        element, message, ..
    } in problems
    {
        writeln!(out, "    ({element:?}, {message:?}),")?;
    }
    out.push_str("];\n");
    Ok(out)
}

/// The type of a message, as prost names it.
fn rust(message: &MessageDescriptor) -> String {
    let name = message.name().to_upper_camel_case();
    let mut modules = message
        .package_name()
        .split('.')
        .map(ToOwned::to_owned)
        .collect::<Vec<_>>();
    let mut outer = Vec::new();
    let mut parent = message.parent_message();
    while let Some(message) = parent {
        outer.push(message.name().to_snake_case());
        parent = message.parent_message();
    }
    modules.extend(outer.into_iter().rev());
    modules.push(name);
    modules.join("::")
}
