//! What the rules of `proto` become.

#![allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated code; its documentation is that of the contract"
)]

/// Version 1.
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/rules.v1.rs"));
}

/// The descriptors of the contract, with its rules.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.binpb"));
