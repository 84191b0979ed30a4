//! Compiles the contract.

fn main() -> Result<(), scribemed_codegen::Error> {
    scribemed_codegen::Contract::new()
        .root("proto")
        .include("../../proto/vendor")
        .compile()
}
