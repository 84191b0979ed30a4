//! What it takes to pick an endpoint.

use std::time::Duration;

/// Makes so many picks among so many ready endpoints and tells how long that took. `None` as long as the client crate has
/// no picker that can be measured by itself.
const PICK: Option<fn(endpoints: usize, picks: usize) -> Duration> = None;

/// How many picks are timed at once.
const PICKS: usize = 1_000_000;
/// How often; the fastest counts, because whatever disturbs a loop that does nothing else makes it slower.
const ROUNDS: usize = 5;

/// Nanoseconds for a pick among so many endpoints; `None` where that cannot be measured.
pub(crate) fn nanoseconds(endpoints: usize) -> Option<f64> {
    let pick = PICK?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "a million is far below what a double holds exactly"
    )]
    let each = |all: Duration| all.as_secs_f64() * 1e9 / PICKS as f64;
    (0..ROUNDS)
        .map(|_| each(pick(endpoints, PICKS)))
        .min_by(f64::total_cmp)
}
