//! Resilience policies as plain values: they decide and never sleep. No I/O, no clock: each decision is given the [`Tick`] at
//! which it is made and, where it needs one, a random source.

pub mod backoff;
mod tick;

pub use tick::Tick;
