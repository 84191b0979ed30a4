//! What it takes to pick an endpoint.

use scribemed_client::measure_picks;

use crate::orders;

/// How many picks are timed at once.
const PICKS: usize = 1_000_000;
/// How often; the fastest counts, because whatever disturbs a loop that does nothing else makes it slower.
const ROUNDS: usize = 5;

/// Nanoseconds for a pick among so many endpoints.
pub(crate) fn nanoseconds(endpoints: usize) -> anyhow::Result<f64> {
    let runtime = orders::runtime(1)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let all = runtime.block_on(measure_picks(endpoints, PICKS));
        #[allow(
            clippy::cast_precision_loss,
            reason = "a million is far below what a double holds exactly"
        )]
        let each = all.as_secs_f64() * 1e9 / PICKS as f64;
        fastest = fastest.min(each);
    }
    Ok(fastest)
}
