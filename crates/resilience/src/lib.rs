//! Resilience policies as plain values: they decide and never sleep. No I/O, no clock.

pub mod backoff;
