//! What is generated from `proto/bench/v1/bench.proto`.

/// Messages, and clients and servers as the platform generates them.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated code; its documentation is that of the contract"
)]
pub(crate) mod v1 {
    tonic::include_proto!("bench.v1");
}

/// Clients and servers of the same messages as tonic generates them, with its own codec.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated code; its documentation is that of the contract"
)]
pub(crate) mod bare {
    include!(concat!(env!("OUT_DIR"), "/bare/bench.v1.rs"));
}

/// The encoded contract, for reflection.
pub(crate) const DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));
