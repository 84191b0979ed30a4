//! A client of the first release, 0.1.0: what callers in the field were built with.
//!
//! It is generated from the image of that release, which never changes, by tonic's own generator, and knows nothing of our
//! crates. The tests of this package call today's services with it, and hold today's generated types against the messages of
//! each release.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    deprecated,
    reason = "generated code, of a contract that is documented elsewhere"
)]

/// The contract of the release: an encoded `google.protobuf.FileDescriptorSet`, with what it imports.
pub const IMAGE: &[u8] = include_bytes!("../frozen/0.1.0.binpb");

/// Service identity.
pub mod auth {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("scribemed.auth.v1");
    }
}

/// Speech to text.
pub mod transcription {
    /// Version 1.
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
