//! Retry throttling, [gRFC A6].
//!
//! [gRFC A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#throttling-retry-attempts-and-hedged-rpcs

use scribemed_rpc::policy::RetryThrottling;

use crate::sync::{AtomicU32, Ordering};

/// One token. A6 allows `tokenRatio` three decimal places, so thousandths hold every count exactly.
const TOKEN: u32 = 1_000;
const MAX_TOKENS: u32 = 1_000;

/// Stops retries and hedges towards a target while it fails more than it succeeds (gRFC A6, "Throttling Retry Attempts and Hedged
/// RPCs"). One for each target, shared by all of its methods.
///
/// A bucket of tokens that starts full: a failure takes one, a success gives `token_ratio` back, and a call is sent again only while
/// more than half are left. Nothing waits for tokens: what is not allowed ends with the failure that it has.
///
/// Lock-free; each update is one atomic operation, and a success into a full bucket writes nothing.
#[derive(Debug)]
pub struct RetryThrottle {
    /// In thousandths.
    tokens: AtomicU32,
    max: u32,
    ratio: u32,
}

impl RetryThrottle {
    /// A full bucket. `max_tokens` is held within 1 to 1000, `token_ratio` within 0 to `max_tokens`, with three decimal places (A6).
    pub fn new(policy: RetryThrottling) -> Self {
        let max = policy.max_tokens.clamp(1, MAX_TOKENS) * TOKEN;
        Self {
            tokens: AtomicU32::new(max),
            max,
            ratio: thousandths(policy.token_ratio).min(max),
        }
    }

    /// Counts an attempt that succeeded.
    pub fn on_success(&self) {
        self.change(|tokens| tokens.saturating_add(self.ratio).min(self.max));
    }

    /// Counts an attempt that ended with a retryable or non-fatal code, or with the pushback "do not retry". Other failures are not
    /// counted, and neither is what was sent again transparently: it never reached the service (A6).
    pub fn on_failure(&self) {
        self.change(|tokens| tokens.saturating_sub(TOKEN));
    }

    /// Whether a call may be sent again: more than half of the tokens are left.
    pub fn allows(&self) -> bool {
        self.tokens.load(Ordering::Relaxed) > self.max / 2
    }

    /// How many tokens are left: 0 to [`max_tokens`](Self::max_tokens).
    pub fn tokens(&self) -> f64 {
        f64::from(self.tokens.load(Ordering::Relaxed)) / f64::from(TOKEN)
    }

    /// How many tokens there are when it is full: 1 to 1000.
    pub fn max_tokens(&self) -> f64 {
        f64::from(self.max) / f64::from(TOKEN)
    }

    /// The count stands for itself and orders no other memory, so relaxed operations do.
    fn change(&self, to: impl Fn(u32) -> u32) {
        let mut seen = self.tokens.load(Ordering::Relaxed);
        loop {
            let next = to(seen);
            if next == seen {
                return;
            }
            match self.tokens.compare_exchange_weak(
                seen,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float to integer saturates, and NaN becomes 0"
)]
fn thousandths(ratio: f32) -> u32 {
    (f64::from(ratio) * f64::from(TOKEN)).round() as u32
}

#[cfg(all(test, not(loom)))]
mod tests;
