//! `scribemed-contract`: see the library.

fn main() {}
