//! The smallest service: a contract in `proto/`, a handler, and a server that brings everything else along.

pub mod greeter;
pub mod identity;

/// What is generated from the contract.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    reason = "generated code; its documentation is that of the contract"
)]
pub mod v1 {
    tonic::include_proto!("greeter.v1");
}

/// The encoded contract, for reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));
