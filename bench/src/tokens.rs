//! What it takes to believe a token that was verified a short time ago.

use std::hint::black_box;

use anyhow::Result;
use http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use crate::identity::Identity;
use crate::orders;

/// How many are verified at once: less than a millisecond, so that most rounds are not interrupted.
const CALLS: usize = 5_000;
/// How often; the fastest counts, because whatever disturbs a loop that does nothing else makes it slower.
const ROUNDS: usize = 100;
/// As our channel sends it.
const HEADER: HeaderName = HeaderName::from_static("x-service-authorization");

/// Nanoseconds for a token that is remembered, from the headers of a request to its principal.
pub(crate) fn nanoseconds() -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("key.pem");
    Identity::create(&path)?;
    let identity = Identity::load(&path)?;
    let verifier = identity.verifier()?;
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, identity.token()?.indexed_header());
    orders::runtime(1)?.block_on(async {
        verifier.authenticate(&headers).await?;
        let mut fastest = f64::INFINITY;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            for _ in 0..CALLS {
                black_box(verifier.authenticate(black_box(&headers)).await?);
            }
            #[allow(
                clippy::cast_precision_loss,
                reason = "so few are held exactly by a double"
            )]
            let each = begun.elapsed().as_secs_f64() * 1e9 / CALLS as f64;
            fastest = fastest.min(each);
        }
        Ok(fastest)
    })
}
