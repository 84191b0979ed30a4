//! Compiles the contracts of the simulation and of the interoperability cases.

fn main() -> Result<(), scribemed_codegen::Error> {
    scribemed_codegen::Contract::new()
        .root("proto")
        .include("../../proto/options")
        .include("../../proto/vendor")
        .compile()
}
