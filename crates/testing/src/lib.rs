//! The real client and the real server on a simulated network, replayable by seed.
//!
//! A [`Scenario`] draws a [`Script`] from a seed: how many servers and clients there are, what happens to them and when.
//! [`simulate`] plays it, in simulated time and on one thread, and returns a [`Journal`] of all that happened;
//! [`check`] says which of the platform's promises it breaks. The same seed gives the same journal, byte for byte.
//!
//! ```
//! use scribemed_testing::{check, scenario, simulate};
//!
//! let scenario = scenario::by_name("rolling-restart").unwrap();
//! let script = scenario.script(7);
//! let journal = simulate(&script, 7).unwrap();
//! assert!(check(&script, &journal).violations.is_empty());
//! ```
//!
//! And [`interop`]: the service and the cases with which implementations of gRPC try each other.
//!
//! Only ever a dev-dependency: nothing that is shipped knows of it.

mod caller;
mod clock;
mod handler;
mod identity;
pub mod interop;
mod invariants;
mod journal;
mod names;
mod network;
pub mod scenario;
mod script;
mod server;
mod simulation;
mod sweep;

/// What is generated from the contract.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated code; its documentation is that of the contract"
)]
pub mod v1 {
    tonic::include_proto!("testing.v1");
}

pub use clock::SimulatedClock;
pub use invariants::{Findings, Violation, check};
pub use journal::{Entry, Event, Journal, Kind};
pub use names::{Answer, Names};
pub use network::{SimulatedSockets, incoming};
pub use scenario::Scenario;
pub use script::{Links, Manner, Order, Promise, Script, Step};
pub use simulation::{Broken, simulate};
pub use sweep::{Failure, Play, Summary, sweep};
