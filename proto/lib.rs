//! The contracts: what is generated from the `.proto` files of this folder.
//!
//! Each package is a module: messages, clients (`…_client`), servers (`…_server`), and the policy of each service as a
//! constant. [`DESCRIPTOR_SET`] is the encoded descriptor set, custom options included, for reflection.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    deprecated,
    reason = "generated code; its documentation is that of the contract"
)]

/// Service identity.
pub mod auth {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("scribemed.auth.v1");
    }
}

/// Speech to text.
pub mod transcription {
    /// Version 1, superseded by version 2.
    pub mod v1 {
        tonic::include_proto!("scribemed.transcription.v1");
    }
    /// Version 2.
    pub mod v2 {
        tonic::include_proto!("scribemed.transcription.v2");
    }
}

/// Clinical notes.
pub mod documentation {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("scribemed.documentation.v1");
    }
    /// Version 2.
    pub mod v2 {
        tonic::include_proto!("scribemed.documentation.v2");
    }
}

/// The encoded `google.protobuf.FileDescriptorSet` of all contracts and what they import.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));
