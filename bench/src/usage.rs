//! The CPU time of this process.

use anyhow::{Context as _, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// User and system time of all threads so far, in nanoseconds. The kernel counts to the nanosecond and tells to the
/// microsecond.
pub(crate) fn cpu_ns() -> Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).context("reading the CPU time of the process")?;
    let nanoseconds = |time: TimeVal| u64::try_from(time.num_nanoseconds());
    Ok(nanoseconds(usage.user_time())? + nanoseconds(usage.system_time())?)
}
