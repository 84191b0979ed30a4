//! Compiles the contract twice: as the platform does it, and clients and servers once more as tonic alone does it.

use std::path::Path;

use anyhow::Context as _;

const FILES: [&str; 2] = ["bench/v1/bench.proto", "bench/v1/work.proto"];
const FOLDERS: [&str; 3] = ["proto", "../proto/options", "../proto/vendor"];

fn main() -> anyhow::Result<()> {
    let [root, options, vendor] = FOLDERS;
    scribemed_codegen::Contract::new()
        .root(root)
        .include(options)
        .include(vendor)
        .compile()?;
    bare()
}

/// The messages are those of the first generation, so that both sides encode and decode the same way.
fn bare() -> anyhow::Result<()> {
    let out = std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR for a build script")?;
    let out = Path::new(&out).join("bare");
    std::fs::create_dir_all(&out).with_context(|| format!("making {}", out.display()))?;
    let mut compiler = protox::Compiler::new(FOLDERS)?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(FILES)?;
    let mut set = compiler.file_descriptor_set();
    set.file.retain(|file| FILES.contains(&file.name()));
    tonic_prost_build::configure()
        .build_transport(false)
        .out_dir(out)
        .extern_path(".bench.v1", "crate::contract::v1")
        .compile_fds(set)?;
    Ok(())
}
