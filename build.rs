//! Compiles the contracts; see `crates/codegen`.

fn main() -> Result<(), scribemed_codegen::Error> {
    scribemed_codegen::Contract::new()
        .root("proto/v1")
        .root("proto/v2")
        .include("proto/options")
        .include("proto/vendor")
        // The details of errors travel as google.protobuf.Any; grpcurl shows them with this.
        .describe("google/rpc/error_details.proto")
        // And so do the reasons in them, as words.
        .describe("scribemed/options/v1/error_reason.proto")
        .compile()
}
