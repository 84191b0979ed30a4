//! The contract tool: what a contract says, in other forms, and what a change of it would break.
//!
//! Every command reads images as `buf build` writes them; see [`image`].

pub mod image;
