//! The contract tool: what a contract says, in other forms, and what a change of it would break.
//!
//! Every command reads images as `buf build` writes them, or compiles the contract of the working directory; see [`image`].

pub mod check;
pub mod docs;
pub mod example;
pub mod explain;
pub mod graph;
pub mod image;
pub mod json;
pub mod near;
pub mod openapi;
pub mod reference;
pub mod samples;
pub mod service_config;
