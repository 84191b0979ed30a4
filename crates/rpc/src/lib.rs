//! The vocabulary of a call between services. No I/O.
//!
//! What the contract says of a method is a [`MethodPolicy`], generated from the options in `proto/`. What a call carries
//! along is a [`CallContext`]: its [`Deadline`], its [`RequestId`], its [`TraceContext`] and its cancellation. What goes
//! wrong is a [`Fault`], which becomes a `tonic::Status` with google.rpc details. What is wrong with a message is a list of
//! [`Violation`]s, found by the generated [`Validate`] in the codec.

pub mod code;
pub mod codec;
mod context;
mod contract;
mod deadline;
mod fault;
pub mod metadata;
pub mod policy;
mod request_id;
mod subject;
mod trace;
mod upstream;
pub mod validate;
mod well_formed;

pub use context::CallContext;
pub use contract::{ClientContract, ServerContract};
pub use deadline::{Deadline, MalformedTimeout, format_timeout, parse_timeout};
pub use fault::{Fault, reason};
pub use policy::{MethodPolicy, ServicePolicy};
pub use request_id::RequestId;
pub use subject::{SubjectToken, SubjectTokenKind};
pub use trace::{MalformedTraceparent, TraceContext};
pub use validate::{Findings, Validate, Violation};
pub use well_formed::{MalformedMetadata, well_formed};
