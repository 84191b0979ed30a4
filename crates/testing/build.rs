//! Compiles the contract of the simulation.

fn main() -> Result<(), scribemed_codegen::Error> {
    scribemed_codegen::Contract::new()
        .root("proto")
        .include("../../proto/options")
        .include("../../proto/vendor")
        .compile()
}
