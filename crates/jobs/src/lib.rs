//! Durable jobs on SQLite: leases, persisted backoff, dead letters.
//!
//! The jobs live in the database of the service that owns them. Hence a job is enqueued in the transaction that writes its domain row, and
//! its effect is committed in the transaction that marks it done: neither exists without the other, whenever the process is killed.
//!
//! - [`open`], [`begin`] and [`migrate`] set up the database, also for the service's own tables.
//! - [`Store`] enqueues, cancels and shows jobs.
//! - [`Worker`] leases due jobs and hands them to a [`Handler`].
//!
//! # A job's life
//! ```text
//!  enqueue ─► ready ─► leased ─► done        Lease::complete, with the effect
//!               ▲         ├────► ready       Failure::Retry, after a persisted backoff
//!               └─────────┤                  Failure::Snooze and shutdown, not counted as an attempt
//!                         ├────► dead        Failure::Dead, or every attempt used; Handler::dead runs in the same transaction
//!                         └────► leased      the lease ran out: the worker crashed or hung, another takes over
//!  cancel: ready or leased ─► cancelled
//! ```
//! An attempt counts from the moment it starts, so a job that crashes its process uses up its attempts and goes to `dead` like any other.
//!
//! # Once
//! A job may *run* more than once: a lease can run out while its holder is frozen. Its effect is applied once, because every lease has a
//! fencing token, and [`Lease::complete`] and [`Lease::begin`] refuse a lease that is no longer the current one. Effects outside the
//! database need an idempotency key of their own; the job's id is one.
//!
//! # Privacy
//! Reasons, queue names and ids appear in logs and in `last_error`. They must not hold clinical content. Payloads are never logged; keep
//! them to ids all the same.

mod clock;
mod database;
mod handler;
mod job;
mod lease;
mod store;
mod worker;

pub use self::clock::{Clock, ManualClock, SystemClock};
pub use self::database::{OpenError, begin, migrate, open, present};
pub use self::handler::{BoxError, Failure, Handler};
pub use self::job::{Enqueued, Job, NewJob, State};
pub use self::lease::{Done, Lease, LeaseError};
pub use self::store::Store;
pub use self::worker::Worker;
