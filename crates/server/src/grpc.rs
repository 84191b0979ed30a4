//! What is generated from gRPC's own contracts, of which this server serves both sides: `grpc.health.v1`, with `List`, which
//! tonic-health does not have, and `grpc.channelz.v1` (gRFC A14).
//!
//! The messages of health are the same on the wire as those of tonic-health.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    reason = "generated code; its documentation is that of the contract"
)]

/// Whether services serve.
pub mod health {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("grpc.health.v1");
    }
}

/// Servers, connections and channels of a process.
pub mod channelz {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("grpc.channelz.v1");
    }
}

/// The encoded `google.protobuf.FileDescriptorSet` of both and what they import.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/grpc.binpb"));
