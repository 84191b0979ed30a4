//! Generates the frozen client from the image of the first release, with tonic's own generator and nothing of ours; and, for the
//! tests of golden messages, a table of today's message types by name.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

const FROZEN: &str = "frozen/0.1.0.binpb";
/// The modules whose packages are generated, and those that they import.
const MODULES: [&str; 2] = ["../../proto/v1", "../../proto/v2"];
const INCLUDES: [&str; 2] = ["../../proto/options", "../../proto/vendor"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FROZEN}");
    let mut frozen = FileDescriptorSet::decode(fs::read(FROZEN)?.as_slice())?;
    // Options are for the server and for tools. The well-known types are those of prost.
    frozen.file.retain(|file| {
        let package = file.package();
        package == "google.protobuf"
            || package.starts_with("scribemed.") && package != "scribemed.options.v1"
    });
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .compile_fds(frozen)?;

    let today = today()?;
    let out = PathBuf::from(env::var("OUT_DIR")?).join("today.rs");
    fs::write(out, table(&today))?;
    Ok(())
}

/// The files of today's contract.
fn today() -> Result<Vec<FileDescriptorProto>, Box<dyn Error>> {
    let mut files = Vec::new();
    for module in MODULES {
        println!("cargo::rerun-if-changed={module}");
        find(Path::new(module), &mut files)?;
    }
    let mut compiler = protox::Compiler::new(MODULES.iter().chain(&INCLUDES))?;
    compiler.open_files(&files)?;
    Ok(compiler.file_descriptor_set().file)
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// A function that decodes a message of today's generated types and encodes it again.
fn table(files: &[FileDescriptorProto]) -> String {
    let mut arms = String::new();
    for file in files {
        let package = file.package();
        let module: Vec<&str> = package.split('.').skip(1).collect();
        let module = format!("::scribemed_proto::{}", module.join("::"));
        for message in &file.message_type {
            add(message, package, &module, &mut arms);
        }
    }
    format!(
        "/// Decodes with today's generated type of this name and encodes again; none where there is no such type.\n\
         fn again(message: &str, bytes: &[u8]) -> Option<Result<Vec<u8>, prost::DecodeError>> {{\n    \
         Some(match message {{\n{arms}        _ => return None,\n    }})\n}}\n"
    )
}

fn add(message: &DescriptorProto, parent: &str, module: &str, arms: &mut String) {
    if message
        .options
        .as_ref()
        .is_some_and(prost_types::MessageOptions::map_entry)
    {
        return;
    }
    let name = format!("{parent}.{}", message.name());
    let kind = message.name().to_upper_camel_case();
    arms.push_str(&format!(
        "        {name:?} => through::<{module}::{kind}>(bytes),\n"
    ));
    let inner = format!("{module}::{}", message.name().to_snake_case());
    for nested in &message.nested_type {
        add(nested, &name, &inner, arms);
    }
}
