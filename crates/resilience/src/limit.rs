//! How many calls a server works on at a time: a limit that it finds by itself.

use std::time::Duration;

use crate::Tick;
use crate::baseline::{Baseline, Pressure};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// For so long samples are gathered before the limit is judged by them; until there are [`ENOUGH`], but not above [`AT_MOST`].
const WINDOW: Duration = Duration::from_millis(100);
const ENOUGH: u64 = if cfg!(loom) { 1 } else { 10 };
const AT_MOST: Duration = Duration::from_secs(1);
/// A limit that has refused nobody for so long is not known to be right any more.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// The limit at most halves in a window (Netflix, `Gradient2Limit`). A single call counts for no more than that, so one that is
/// held up by a slow caller is outvoted by its neighbours.
const MAX_STRETCH: f64 = 2.0;

/// How important a call is; the lowest is shed first. Each class may fill a share of the limit (Google SRE book, "Handling
/// Overload", has the four; the shares are ours):
///
/// | class | share |
/// |---|---|
/// | `CriticalPlus` | 150 % |
/// | `Critical`, which is what most calls are | 100 % |
/// | `SheddablePlus` | 75 % |
/// | `Sheddable` | 50 % |
///
/// What is most important goes *above* the limit: calls come in bursts, one read of a socket brings a hundred, and all of them
/// are decided on before one is done. With a share that others can fill, those of a burst's end would find it filled. The
/// limit is found by what all of them cause together, so it falls where this is used for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// May be lost for hours.
    Sheddable,
    /// A retry minutes later is fine.
    SheddablePlus,
    /// A user waits.
    Critical,
    /// A user waits and must not be failed.
    CriticalPlus,
}

impl Class {
    /// The share of the limit that calls of this class, and all others together, may fill.
    const fn share(self) -> f64 {
        match self {
            Self::Sheddable => 0.5,
            Self::SheddablePlus => 0.75,
            Self::Critical => 1.0,
            Self::CriticalPlus => 1.5,
        }
    }
}

/// How a [`Limit`] works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// The limit is not lowered below this, at least 1. Default 8. Netflix has 20, of which the last waits for 19 others: where calls
    /// take 50 ms on two processors and have 300 ms, three times the load leaves 16 % of the goodput with 20, 68 % with 12
    /// and all of it with 8 (simulation).
    pub min: u32,
    /// And not raised above this, at least `min`; it begins here. Default 1,000. Netflix has 200, for servers with a thread for
    /// each call. Here a call that waits costs its memory; that, and not the processor, is what this bounds.
    pub max: u32,
    /// A call may take so many times what it usually takes, 1 to 10. Default 1.5, as Netflix has it.
    pub tolerance: f64,
    /// And so much longer in any case, at least 1 ms. Default 50 ms. Calls come in bursts, so there is a wait on a server that
    /// has time left, too. In the simulation of this module's tests, a server that is used by 70 % in bursts of 20 calls of
    /// 1 ms refuses 11 % of them with 10 ms, 3 % with 25 ms, 0.3 % with 50 ms; under three times the load that it can take,
    /// goodput is the same with each, and what waits does so for about as long as this.
    pub slack: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min: 8,
            max: 1_000,
            tolerance: 1.5,
            slack: Duration::from_millis(50),
        }
    }
}

/// How a call went, for the limit to be judged by.
#[derive(Debug, Clone, Copy)]
pub enum Sample<'a> {
    /// It was answered.
    Served {
        /// What the method usually takes; learns from this call.
        baseline: &'a Baseline,
        /// From the arrival of its head to the start of its handler.
        waited: Duration,
        /// From there to its answer.
        served: Duration,
    },
    /// It ended with an error, or its deadline passed. That it took so long counts; the baseline learns nothing from it, as an
    /// error may come at once and a call that was cut off would have taken longer.
    Failed {
        /// What the method usually takes.
        baseline: &'a Baseline,
        /// As for `Served`.
        waited: Duration,
        /// From there to its end; zero if the handler was never begun.
        served: Duration,
    },
    /// It says nothing: the caller went away, or it was refused for a reason of its own.
    Ignored,
}

/// A call counts into the limit. Must be given back with [`Limit::release`]: it does not do that by itself, so that it needs no
/// reference to the limit.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the place is taken until it is released"]
pub struct Permit(());

/// A call was refused: there is too much to do for calls of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shed {
    /// Calls that are being worked on.
    pub in_flight: u32,
    /// How many there may be for a call of this class to be taken.
    pub limit: u32,
}

/// A limit on the calls in flight that adapts to what the server can do: a gradient limiter after Netflix's `Gradient2Limit` and
/// Envoy's adaptive concurrency filter. One for each server.
///
/// Every 100 ms, when there are ten samples, `limit = limit * gradient + sqrt(limit)`, within `min` and `max`:
/// - the gradient is `1 / stretch`, from 0.5 to 1, where the **stretch** of a call is what it took against what it may
///   take: `(waited + served) / (tolerance * mean of its method + slack)`. It has no unit, so calls of methods that
///   take microseconds and seconds are judged together. The limit follows the mean stretch of the window.
/// - `sqrt(limit)` is the room to grow (Envoy).
/// - The **wait** from arrival to handler is no part of the baseline: without load it is nothing, whatever the method, so a queue for
///   the processor is seen for what it is and never learned. That is what makes probing for an unloaded latency needless
///   (Envoy's minRTT), and where Netflix's drifts.
/// - It does not grow while less than half of it is used: nothing was learned about more.
/// - A limit that is cut is cut from what was in flight, not from a limit that was never reached; and not at all while no more
///   than `min` were in flight: whatever was slow, it was not for want of a limit.
/// - When it has refused nobody for a minute, it begins anew from `max`.
///
/// It begins at `max`: a server that starts takes what comes, and learns within some 200 ms what it cannot do.
///
/// Lock-free: taking a place is a compare-and-swap of one word, which is never above what the class may fill; giving it back is
/// two additions, and an update every 100 ms by whoever comes first.
#[derive(Debug)]
pub struct Limit {
    config: Config,
    in_flight: AtomicU32,
    /// The limit, as the bits of a 32-bit float.
    current: AtomicU32,
    /// The most in flight in this window.
    peak: AtomicU32,
    /// [`Pressure`] as of the last window.
    pressure: AtomicU32,
    /// When this window began, in nanoseconds.
    window: AtomicU64,
    /// What was gathered in it.
    gathered: AtomicU64,
    /// When a call was refused last, in nanoseconds.
    refused: AtomicU64,
}

impl Limit {
    /// One that begins at `config.max`. What is out of range is brought into it.
    pub fn new(config: Config, now: Tick) -> Self {
        let min = config.min.max(1);
        let config = Config {
            min,
            max: config.max.max(min),
            tolerance: if config.tolerance >= 1.0 {
                config.tolerance.min(10.0)
            } else {
                1.0
            },
            slack: config.slack.max(Duration::from_millis(1)),
        };
        Self {
            in_flight: AtomicU32::new(0),
            current: AtomicU32::new(single(f64::from(config.max)).to_bits()),
            peak: AtomicU32::new(0),
            pressure: AtomicU32::new(0),
            window: AtomicU64::new(now.as_nanos()),
            gathered: AtomicU64::new(0),
            refused: AtomicU64::new(now.as_nanos()),
            config,
        }
    }

    /// Takes a place for a call of this class.
    ///
    /// # Errors
    /// [`Shed`]: the share of the class is filled.
    pub fn try_acquire(&self, class: Class, now: Tick) -> Result<Permit, Shed> {
        let limit = self.share(class);
        let mut seen = self.in_flight.load(Ordering::Relaxed);
        loop {
            if seen >= limit {
                return Err(self.refuse(seen, limit, now));
            }
            // The count stands for itself and orders no other memory, so relaxed operations do.
            match self.in_flight.compare_exchange_weak(
                seen,
                seen + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(other) => seen = other,
            }
        }
        if self.peak.load(Ordering::Relaxed) <= seen {
            self.peak.fetch_max(seen + 1, Ordering::Relaxed);
        }
        Ok(Permit(()))
    }

    /// Whether a call of this class would be taken now. For calls that live long and wait most of the time, streams: they are
    /// refused like others, and take no place.
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    pub fn admit(&self, class: Class, now: Tick) -> Result<(), Shed> {
        let limit = self.share(class);
        let seen = self.in_flight.load(Ordering::Relaxed);
        if seen >= limit {
            return Err(self.refuse(seen, limit, now));
        }
        Ok(())
    }

    /// Gives a place back and learns from how the call went.
    #[allow(clippy::needless_pass_by_value, reason = "a permit is given back once")]
    pub fn release(&self, permit: Permit, sample: Sample<'_>, now: Tick) {
        let Permit(()) = permit;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let (baseline, waited, served, learns) = match sample {
            Sample::Served {
                baseline,
                waited,
                served,
            } => (baseline, waited, served, true),
            Sample::Failed {
                baseline,
                waited,
                served,
            } => (baseline, waited, served, false),
            Sample::Ignored => return,
        };
        // Against what was usual before: the first call of a method is what is usual.
        let usual = baseline.mean().unwrap_or(served);
        if learns {
            baseline.observe(served, self.pressure(), now);
        }
        let may_take =
            usual.as_secs_f64() * self.config.tolerance + self.config.slack.as_secs_f64();
        let gathered = Gathered::one(
            (waited + served).as_secs_f64() / may_take,
            waited * 2 >= self.config.slack,
        );
        let before = self.gathered.fetch_add(gathered.0, Ordering::Relaxed);
        let gathered = Gathered(before.wrapping_add(gathered.0));
        let begun = self.window.load(Ordering::Relaxed);
        let age = now.since(Tick::from_nanos(begun));
        let enough = age >= WINDOW && gathered.count() >= ENOUGH || age >= AT_MOST;
        // Whoever moves the window on judges it; the others have gone on to the next.
        if enough
            && self
                .window
                .compare_exchange(begun, now.as_nanos(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        {
            let gathered = Gathered(self.gathered.swap(0, Ordering::Relaxed));
            let in_flight = self.in_flight.load(Ordering::Relaxed);
            let peak = self.peak.swap(in_flight, Ordering::Relaxed);
            self.judge(gathered, peak, now);
        }
    }

    /// The limit: what calls of class `Critical` may fill.
    pub fn limit(&self) -> u32 {
        self.share(Class::Critical)
    }

    /// Calls that are being worked on.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// What the last window was like.
    pub fn pressure(&self) -> Pressure {
        Pressure::unpack(self.pressure.load(Ordering::Relaxed))
    }

    fn judge(&self, gathered: Gathered, peak: u32, now: Tick) {
        let Some(stretch) = gathered.stretch() else {
            return;
        };
        let pressure = if stretch <= 1.0 {
            Pressure::None
        } else if gathered.waiting() {
            Pressure::Waiting
        } else {
            Pressure::Serving
        };
        self.pressure.store(pressure.pack(), Ordering::Relaxed);
        let (min, max) = (f64::from(self.config.min), f64::from(self.config.max));
        let limit = f64::from(f32::from_bits(self.current.load(Ordering::Relaxed)));
        let used = f64::from(peak);
        let gradient = (1.0 / stretch).clamp(1.0 / MAX_STRETCH, 1.0);
        let refused = Tick::from_nanos(self.refused.load(Ordering::Relaxed));
        let next = if gradient < 1.0 {
            if used <= min {
                return;
            }
            let reached = limit.min(used);
            reached * gradient + reached.sqrt()
        } else if now.since(refused) >= FORGOTTEN {
            max
        } else if used * 2.0 < limit {
            return;
        } else {
            limit + limit.sqrt()
        };
        let next = single(next.clamp(min, max));
        self.current.store(next.to_bits(), Ordering::Relaxed);
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a limit is far below what an integer holds, and above zero"
    )]
    fn share(&self, class: Class) -> u32 {
        let limit = f32::from_bits(self.current.load(Ordering::Relaxed));
        (f64::from(limit) * class.share()).ceil() as u32
    }

    fn refuse(&self, in_flight: u32, limit: u32, now: Tick) -> Shed {
        self.refused.store(now.as_nanos(), Ordering::Relaxed);
        Shed { in_flight, limit }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "a limit is precise to seven digits, which is more than enough"
)]
fn single(value: f64) -> f32 {
    value as f32
}

/// What a window gathers, in one word: how many samples (17 bits), how many of them had to wait (17 bits), and the sum of their
/// stretches in 1024ths (30 bits). That is room for 130,000 calls in 100 ms.
#[derive(Debug, Clone, Copy)]
struct Gathered(u64);

const COUNT: u32 = 47;
const WAITED: u32 = 30;
const UNIT: f64 = 1024.0;

impl Gathered {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 2048"
    )]
    fn one(stretch: f64, waited: bool) -> Self {
        let stretch = (stretch.min(MAX_STRETCH) * UNIT) as u64;
        Self(1 << COUNT | u64::from(waited) << WAITED | stretch)
    }

    fn count(self) -> u64 {
        self.0 >> COUNT
    }

    /// More than half had to wait for half of the slack or longer.
    fn waiting(self) -> bool {
        (self.0 >> WAITED & ((1 << (COUNT - WAITED)) - 1)) * 2 > self.count()
    }

    /// The mean.
    #[allow(
        clippy::cast_precision_loss,
        reason = "30 bits are well within a double"
    )]
    fn stretch(self) -> Option<f64> {
        let sum = (self.0 & ((1 << WAITED) - 1)) as f64 / UNIT;
        (self.count() > 0).then(|| sum / self.count() as f64)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
