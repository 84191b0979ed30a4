//! The latency of an endpoint, for balancing.

use std::time::Duration;

use crate::Tick;
use crate::sync::{AtomicU64, Ordering};

/// What an endpoint is taken for before it has answered.
const INITIAL: Duration = Duration::from_millis(30);
/// How long until a sample has lost all but 1/e of its weight.
const DECAY: Duration = Duration::from_secs(10);
/// No average is below: an endpoint with cost 0 would stay the cheapest however much it has to do.
const MIN: Duration = Duration::from_micros(1);
const MIN_PENALTY: Duration = Duration::from_secs(5);
const MAX_PENALTY: Duration = Duration::from_secs(300);
/// Time is counted in units of 2^20 ns, a little more than a millisecond.
const UNIT_BITS: u32 = 20;
/// How far the time that one thread has read may be behind that of another: about a minute.
const BEHIND: u32 = 60_000;

/// A moving average of round-trip times that believes bad news at once and good news slowly, after Finagle's `PeakEwma`.
///
/// A sample above the average replaces it. One below moves it by `1 - e^(-t / 10 s)` of the way, `t` being the time since the
/// last change. An average without samples fades towards zero, so an endpoint that was slow is tried again, but it fades only while
/// nothing is under way there: one that swallows requests does not become attractive by not answering.
///
/// Starts at 30 ms. Lock-free: average (32-bit float) and time of change share one word. What comes within the same millisecond as
/// the last change and is not above the average changes nothing, so a busy endpoint costs a load for each sample.
#[derive(Debug)]
pub struct PeakEwma {
    word: AtomicU64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Average {
    /// In nanoseconds.
    value: f32,
    /// In units, modulo 2^32: that is 52 days. An endpoint that nobody has used for longer may look fresher than it is, until the
    /// next sample.
    changed: u32,
}

impl PeakEwma {
    /// 30 ms, as of `now`.
    pub fn new(now: Tick) -> Self {
        let average = Average {
            value: nanos(INITIAL),
            changed: units(now),
        };
        Self {
            word: AtomicU64::new(average.pack()),
        }
    }

    /// Begins anew with this average. For an endpoint that joins others: with 30 ms, among others that take one, it would get
    /// nothing to be judged by for half a minute.
    pub fn restart(&self, latency: Duration, now: Tick) {
        let average = Average {
            value: nanos(latency.max(MIN)),
            changed: units(now),
        };
        self.word.store(average.pack(), Ordering::Relaxed);
    }

    /// Takes in how long an answer has taken.
    pub fn observe(&self, rtt: Duration, now: Tick) {
        let rtt = nanos(rtt.max(MIN));
        let changed = units(now);
        self.change(|average| {
            if rtt > average.value {
                return Average {
                    value: rtt,
                    changed: average.later(changed),
                };
            }
            let age = average.age(changed);
            if age == 0 {
                return average;
            }
            let rest = weight(age);
            Average {
                value: average.value * rest + rtt * (1.0 - rest),
                changed,
            }
        });
    }

    /// Takes in a failure: the average is raised to `floor`, which is the server's pushback or zero and is held within 5 s to 300 s. An
    /// endpoint that fails is quick about it and would look good otherwise.
    pub fn penalize(&self, floor: Duration, now: Tick) {
        let floor = nanos(floor.clamp(MIN_PENALTY, MAX_PENALTY));
        self.change(|average| Average {
            value: average.value.max(floor),
            changed: average.later(units(now)),
        });
    }

    /// What one more request would meet: average latency in nanoseconds times `pending + 1`, `pending` being the requests under way.
    /// Above zero. Takes a few nanoseconds.
    pub fn cost(&self, pending: u32, now: Tick) -> f64 {
        let average = self.load();
        let value = if pending == 0 {
            average.faded(units(now))
        } else {
            average.value
        };
        f64::from(value) * (f64::from(pending) + 1.0)
    }

    /// The average as of `now`, for people to look at; 1 us at least.
    pub fn latency(&self, now: Tick) -> Duration {
        let value = f64::from(self.load().faded(units(now)));
        Duration::try_from_secs_f64(value / 1e9).unwrap_or(Duration::MAX)
    }

    fn load(&self) -> Average {
        Average::unpack(self.word.load(Ordering::Relaxed))
    }

    /// The word stands for itself and orders no other memory, so relaxed operations do.
    fn change(&self, to: impl Fn(Average) -> Average) {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            let next = to(Average::unpack(seen)).pack();
            if next == seen {
                return;
            }
            match self
                .word
                .compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }
}

impl Average {
    fn pack(self) -> u64 {
        u64::from(self.value.to_bits()) << 32 | u64::from(self.changed)
    }

    fn unpack(word: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Self {
            value: f32::from_bits(half(word >> 32)),
            changed: half(word),
        }
    }

    /// Zero for a `now` that is behind, which is what a wrapped difference means that is almost the largest.
    fn age(self, now: u32) -> u32 {
        let age = now.wrapping_sub(self.changed);
        if age > u32::MAX - BEHIND { 0 } else { age }
    }

    fn later(self, now: u32) -> u32 {
        self.changed.wrapping_add(self.age(now))
    }

    fn faded(self, now: u32) -> f32 {
        (self.value * weight(self.age(now))).max(nanos(MIN))
    }
}

/// e^(-age / 10 s).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a weight is precise to seven digits, which is more than enough"
)]
fn weight(age: u32) -> f32 {
    const PER_UNIT: f32 = (1_u64 << UNIT_BITS) as f32 / DECAY.as_nanos() as f32;
    let passed = age as f32 * PER_UNIT;
    // Up to a tenth of a second the line is within 0.00005 of the curve, and much quicker.
    if passed < 0.01 {
        1.0 - passed
    } else {
        (-passed).exp()
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "an average is precise to seven digits, which is more than enough"
)]
fn nanos(duration: Duration) -> f32 {
    (duration.as_secs_f64() * 1e9) as f32
}

fn units(now: Tick) -> u32 {
    u32::try_from((now.as_nanos() >> UNIT_BITS) & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

#[cfg(all(test, not(loom)))]
mod tests;
