//! What the expressions of `proto` become. Its warnings are shown: translated code must have none.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    reason = "generated code; its documentation is that of the contract"
)]

/// What expressions look at; in a package of its own, so that its types are named from outside.
pub mod shapes {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/cel.shapes.v1.rs"));
    }
}

/// The expressions.
pub mod test {
    /// Version 1.
    pub mod v1 {
        include!(concat!(env!("OUT_DIR"), "/cel.test.v1.rs"));
    }
}
