//! The server on the wire, frame by frame, over pipes in memory.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod frames;
mod lifetime;
mod malformed;
mod peers;
mod places;
mod raw;
mod support;
mod tls;
