//! Reads protovalidate's `TestConformanceRequest` from standard input and writes the response to standard output.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scribemed-conformance: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    if !scribemed_conformance::are_there() {
        return Err(
            "it was built without cases; `cargo xtask conformance` builds it with them".into(),
        );
    }
    let mut request = Vec::new();
    std::io::stdin().read_to_end(&mut request)?;
    let response = scribemed_conformance::Executor::new()?.answer(&request)?;
    std::io::stdout().write_all(&response)?;
    Ok(())
}
