//! Peers that mean harm. For each attack: memory stays bounded, a good caller on another connection is answered all the time, and
//! the attacker is let go of.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod attack;
mod floods;
mod headers;
mod slow;
#[path = "../transport/support.rs"]
#[allow(dead_code, reason = "shared with other tests, which use the rest")]
mod support;

use peak_alloc::PeakAlloc;

/// Counts what is allocated.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
