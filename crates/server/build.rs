//! Generates what gRPC itself serves beside a service: health and channelz. Their contracts have no policies, so
//! `scribemed-codegen` has nothing to say about them.

use std::error::Error;
use std::path::PathBuf;

const VENDORED: &str = "../../proto/vendor";
const FILES: [&str; 2] = [
    "grpc/channelz/v1/channelz.proto",
    "grpc/health/v1/health.proto",
];

#[allow(
    clippy::print_stdout,
    reason = "this is how a build script speaks to cargo"
)]
fn main() -> Result<(), Box<dyn Error>> {
    for file in FILES {
        println!("cargo::rerun-if-changed={VENDORED}/{file}");
    }
    let mut compiler = protox::Compiler::new([VENDORED])?;
    compiler.include_imports(true).open_files(FILES)?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(
        out.join("grpc.binpb"),
        compiler.encode_file_descriptor_set(),
    )?;
    tonic_prost_build::configure()
        .build_transport(false)
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
