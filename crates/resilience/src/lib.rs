//! Resilience policies as plain values: they decide and never sleep. No I/O, no clock: each decision is given the [`Tick`] at
//! which it is made and, where it needs one, a random source.
//!
//! What many calls share ([`RetryThrottle`](throttle::RetryThrottle), [`Budget`](budget::Budget), [`Breaker`](breaker::Breaker),
//! [`AdaptiveThrottle`](adaptive::AdaptiveThrottle), [`Ledger`](ledger::Ledger), [`PeakEwma`](ewma::PeakEwma), [`Limit`](limit::Limit),
//! [`Baseline`](baseline::Baseline)) is used through
//! `&self` from any number of threads and holds nothing but atomics: no thread ever waits for another.

pub mod adaptive;
pub mod backoff;
pub mod baseline;
pub mod breaker;
pub mod budget;
pub mod decide;
pub mod ewma;
pub mod ledger;
pub mod limit;
pub mod outcome;
pub mod outlier;
pub mod pushback;
pub mod slow_start;
pub mod throttle;

mod sync;
mod tick;
mod window;

pub use tick::Tick;
