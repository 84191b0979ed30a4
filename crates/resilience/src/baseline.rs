//! How long a method usually takes: what the pressure on a server is measured against.

use std::time::Duration;

use crate::Tick;
use crate::sync::{AtomicU64, Ordering};

/// After so long the mean has moved by 1 - 1/e of the way to what is measured now.
const SETTLES: Duration = Duration::from_secs(10);
/// The same upwards, while calls take longer than they should and it is not known why: either this server is asked for too much
/// of something that is neither processor nor memory, or what it depends on has become slower, which is what it will be judged by.
const SETTLES_SERVING: Duration = Duration::from_secs(60);
/// The same upwards, while calls wait for the processor: what is measured then is the wait.
const SETTLES_WAITING: Duration = Duration::from_secs(600);
/// The first calls count alike, so that the first of all, which is often the slowest, is outvoted soon. They are few: an overload
/// that begins before there were so many is taken for what is usual.
const FIRST: u64 = 15;
/// Over how long the quickest call is looked for; it holds for as long again.
const EPOCH: Duration = Duration::from_secs(30);
/// Time is counted in units of 2^20 ns, a little more than a millisecond, modulo 2^26: that is 19 hours. A method that was not
/// called for longer may look fresher than it is until the next call.
const UNIT_BITS: u32 = 20;
const UNITS: u64 = 1 << 26;
/// How far the time that one thread has read may be behind that of another: about a minute.
const BEHIND: u64 = 60_000;

/// How long a method takes once its handler has begun: on average, and at best. One for each method.
///
/// - The **mean** follows what is measured within some 10 s; upwards, while the server is under [`Pressure`], in one minute
///   or ten. A mean that learns the overload would take it for normal, which is how a gradient limiter drifts.
/// - The **floor** is the quickest of the last 30 to 60 s: a call with less time than that left has never been answered.
///
/// Lock-free: a word each. Two calls that end together may lose one of them, which changes an average by nothing that
/// matters.
#[derive(Debug)]
pub struct Baseline {
    /// The mean in nanoseconds as a 32-bit float, how many of the first calls were counted, and when it changed.
    mean: AtomicU64,
    /// The quickest call in this epoch and in the one before, in microseconds, and the number of this epoch.
    floor: AtomicU64,
}

/// Whether calls take longer than they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pressure {
    /// They do not.
    #[default]
    None,
    /// Their handlers take longer.
    Serving,
    /// They wait for their handlers.
    Waiting,
}

impl Pressure {
    pub(crate) const fn pack(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Serving => 1,
            Self::Waiting => 2,
        }
    }

    pub(crate) const fn unpack(word: u32) -> Self {
        match word {
            0 => Self::None,
            1 => Self::Serving,
            _ => Self::Waiting,
        }
    }
}

impl Default for Baseline {
    fn default() -> Self {
        Self::new()
    }
}

impl Baseline {
    /// One that has seen no call.
    pub fn new() -> Self {
        Self {
            mean: AtomicU64::new(0),
            floor: AtomicU64::new(Floor::default().pack()),
        }
    }

    /// Takes in how long a call took, from the start of its handler.
    pub fn observe(&self, took: Duration, pressure: Pressure, now: Tick) {
        // The words stand for themselves and order no other memory, so relaxed operations do.
        let seen = self.mean.load(Ordering::Relaxed);
        let next = Mean::unpack(seen).with(took, pressure, units(now)).pack();
        if next != seen {
            self.mean.store(next, Ordering::Relaxed);
        }
        let seen = self.floor.load(Ordering::Relaxed);
        let next = Floor::unpack(seen).with(took, epoch(now)).pack();
        if next != seen {
            self.floor.store(next, Ordering::Relaxed);
        }
    }

    /// How long a call takes on average. `None` before the first one.
    pub fn mean(&self) -> Option<Duration> {
        let mean = Mean::unpack(self.mean.load(Ordering::Relaxed));
        (mean.count > 0).then(|| Duration::from_secs_f64(f64::from(mean.nanos) / 1e9))
    }

    /// How long the quickest call of the last 30 to 60 s took, to the microsecond below and 16 s at most. `None` while no
    /// stretch of 30 s with a call in it has passed, and when the last such is over.
    pub fn floor(&self, now: Tick) -> Option<Duration> {
        let floor = Floor::unpack(self.floor.load(Ordering::Relaxed)).at(epoch(now));
        let micros = floor.current.min(floor.before);
        (floor.before < NONE).then(|| Duration::from_micros(micros))
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Mean {
    nanos: f32,
    count: u64,
    changed: u64,
}

impl Mean {
    fn pack(self) -> u64 {
        u64::from(self.nanos.to_bits()) << 32 | self.count << 26 | self.changed
    }

    fn unpack(word: u64) -> Self {
        Self {
            nanos: f32::from_bits(u32::try_from(word >> 32).unwrap_or(0)),
            count: word >> 26 & 63,
            changed: word & (UNITS - 1),
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "an average is precise to seven digits, which is more than enough"
    )]
    fn with(self, took: Duration, pressure: Pressure, now: u64) -> Self {
        let took = took.as_nanos() as f32;
        let age = now.wrapping_sub(self.changed) & (UNITS - 1);
        // A clock that is behind has passed no time.
        let age = if age > UNITS - BEHIND { 0 } else { age };
        let settles = match pressure {
            Pressure::Serving if took > self.nanos => SETTLES_SERVING,
            Pressure::Waiting if took > self.nanos => SETTLES_WAITING,
            Pressure::None | Pressure::Serving | Pressure::Waiting => SETTLES,
        };
        let passed = (age << UNIT_BITS) as f32 / settles.as_nanos() as f32;
        // Up to a tenth the line is within 0.005 of the curve, and much quicker.
        let weight = if passed < 0.1 {
            passed
        } else {
            1.0 - (-passed).exp()
        };
        let weight = if self.count <= FIRST {
            weight.max(1.0 / (self.count + 1) as f32)
        } else {
            weight
        };
        if weight <= 0.0 {
            return self;
        }
        Self {
            nanos: self.nanos + (took - self.nanos) * weight,
            count: (self.count + 1).min(FIRST + 1),
            changed: self.changed.wrapping_add(age) & (UNITS - 1),
        }
    }
}

/// No call, in the place of microseconds.
const NONE: u64 = (1 << 24) - 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Floor {
    epoch: u64,
    current: u64,
    before: u64,
}

impl Default for Floor {
    fn default() -> Self {
        Self {
            epoch: 0,
            current: NONE,
            before: NONE,
        }
    }
}

impl Floor {
    fn pack(self) -> u64 {
        self.epoch << 48 | self.current << 24 | self.before
    }

    fn unpack(word: u64) -> Self {
        Self {
            epoch: word >> 48,
            current: word >> 24 & NONE,
            before: word & NONE,
        }
    }

    fn at(self, epoch: u64) -> Self {
        let before = match epoch.wrapping_sub(self.epoch) & EPOCHS {
            1 => self.current,
            // The same, or a clock that is behind.
            0 | EPOCHS => return self,
            _ => NONE,
        };
        Self {
            epoch,
            current: NONE,
            before,
        }
    }

    fn with(self, took: Duration, epoch: u64) -> Self {
        let micros =
            u64::try_from(took.as_micros()).map_or(NONE - 1, |micros| micros.min(NONE - 1));
        let floor = self.at(epoch);
        Self {
            current: floor.current.min(micros),
            ..floor
        }
    }
}

const EPOCHS: u64 = (1 << 16) - 1;

fn units(now: Tick) -> u64 {
    now.as_nanos() >> UNIT_BITS & (UNITS - 1)
}

/// The number of the stretch of 30 s, modulo 2^16: that is 22 days.
fn epoch(now: Tick) -> u64 {
    (now.since(Tick::ZERO).as_secs() / EPOCH.as_secs()) & EPOCHS
}

#[cfg(all(test, not(loom)))]
mod tests;
