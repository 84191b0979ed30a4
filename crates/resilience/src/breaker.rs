//! The circuit breaker of a target.

mod word;

use std::time::Duration;

use scribemed_rpc::policy::CircuitBreaker;

use crate::Tick;
use crate::outcome::Outcome;
use crate::sync::{AtomicU64, Ordering};

use word::Word;

/// With no time at all a half-open breaker would give out its slots anew to everybody who asks.
const MIN_OPEN: Duration = Duration::from_millis(1);

/// What a [`Breaker`] does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// They pass.
    Closed,
    /// They are refused.
    Open,
    /// A few pass, to see whether the target is well again.
    HalfOpen,
}

/// The leave to send one attempt, given by [`Breaker::admit`]. It goes back exactly once: to [`Breaker::record`] with the outcome,
/// or to [`Breaker::release`] where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a permit that is not handed back holds a probe slot"]
pub struct Permit {
    generation: u32,
}

/// A refusal: the breaker is open, or half-open with all probes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// After how long at most an attempt will pass.
    pub retry_in: Duration,
}

/// Stops calling a target that fails, and finds out when to trust it again.
///
/// - **Closed**: `failure_threshold` failures in a row open it. [`Outcome::Overloaded`] neither counts nor interrupts the row: who
///   says that it has too much to do is well.
/// - **Open** for `open_for`, or until [`probe_now`](Self::probe_now). Then half-open.
/// - **Half-open**: at most `success_threshold` attempts at a time. `success_threshold` successes in a row close it. A failure opens
///   it again, and so does Overloaded: it is too early. [`Outcome::Ignored`] gives the slot back.
///
/// Each change begins a new generation, and what attempts of earlier ones report is dropped: stragglers from before it opened
/// neither open nor close it.
///
/// A probe that is never handed back does not wedge it: when all slots are taken and no probe was given out for `open_for`, the slots
/// are given out anew, as a new generation; successes so far still count.
///
/// Lock-free. Row, probes, state and generation are one word, so exactly one thread makes each change. The start of each
/// generation stands beside it; when several threads make the same change at the same time, the latest `now` among theirs is taken.
#[derive(Debug)]
pub struct Breaker {
    failure_threshold: u16,
    success_threshold: u16,
    open_for: Duration,
    word: AtomicU64,
    /// When the present generation began, or gave out its last probe; the other is that of the generation before or to come. Two,
    /// so that a thread that prepares a change does not disturb those who read the present one.
    since: [AtomicU64; 2],
}

impl Breaker {
    /// A closed one. Thresholds are held within 1 to 65,535, `open_for` to 1 ms at least.
    pub fn new(policy: CircuitBreaker) -> Self {
        let threshold = |value: u32| u16::try_from(value.max(1)).unwrap_or(u16::MAX);
        Self {
            failure_threshold: threshold(policy.failure_threshold),
            success_threshold: threshold(policy.success_threshold),
            open_for: policy.open_for.max(MIN_OPEN),
            word: AtomicU64::new(Word::CLOSED.pack()),
            since: [AtomicU64::new(0), AtomicU64::new(0)],
        }
    }

    /// Asks to send an attempt. While closed this is one load.
    ///
    /// # Errors
    /// [`Open`] when it must not be sent; the call ends with UNAVAILABLE.
    pub fn admit(&self, now: Tick) -> Result<Permit, Open> {
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            let word = Word::unpack(seen);
            let next = match word.state {
                State::Closed => return Ok(word.permit()),
                State::HalfOpen if word.probes < self.success_threshold => {
                    self.note(word.generation, now);
                    Word {
                        probes: word.probes + 1,
                        ..word
                    }
                }
                State::Open | State::HalfOpen => {
                    let left = self.left(word, now);
                    if !left.is_zero() {
                        // The time belongs to this word only if the word is still there.
                        let again = self.word.load(Ordering::Acquire);
                        if Word::unpack(again).generation == word.generation {
                            return Err(Open { retry_in: left });
                        }
                        seen = again;
                        continue;
                    }
                    Word {
                        probes: 1,
                        ..word.half_open()
                    }
                }
            };
            match self.swap(seen, word, next, now) {
                Ok(()) => return Ok(next.permit()),
                Err(now) => seen = now,
            }
        }
    }

    /// Hands a permit back with what became of the attempt. Returns the state to which that has changed the breaker, if it has.
    pub fn record(&self, permit: Permit, outcome: Outcome, now: Tick) -> Option<State> {
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            let word = Word::unpack(seen);
            if word.permit() != permit {
                return None;
            }
            let next = self.after(word, outcome)?;
            match self.swap(seen, word, next, now) {
                Ok(()) => return (next.state != word.state).then_some(next.state),
                Err(now) => seen = now,
            }
        }
    }

    /// Hands a permit back without an outcome: the attempt was cancelled or never sent.
    pub fn release(&self, permit: Permit) {
        // Nothing begins here, so the time does not matter.
        self.record(permit, Outcome::Ignored, Tick::ZERO);
    }

    /// Ends the wait of an open breaker at once, on evidence of recovery: an endpoint has become ready again. Whether it was open.
    pub fn probe_now(&self, now: Tick) -> bool {
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            let word = Word::unpack(seen);
            if word.state != State::Open {
                return false;
            }
            match self.swap(seen, word, word.half_open(), now) {
                Ok(()) => return true,
                Err(now) => seen = now,
            }
        }
    }

    /// The state at this time: an open breaker whose time is over is half-open.
    pub fn state(&self, now: Tick) -> State {
        let word = Word::unpack(self.word.load(Ordering::Acquire));
        match word.state {
            State::Open if self.left(word, now).is_zero() => State::HalfOpen,
            state @ (State::Open | State::Closed | State::HalfOpen) => state,
        }
    }

    /// How long it stays open from now on; zero unless it is open.
    pub fn open_for(&self, now: Tick) -> Duration {
        let word = Word::unpack(self.word.load(Ordering::Acquire));
        match word.state {
            State::Open => self.left(word, now),
            State::Closed | State::HalfOpen => Duration::ZERO,
        }
    }

    /// What this outcome makes of a word; `None` where it changes nothing.
    fn after(&self, word: Word, outcome: Outcome) -> Option<Word> {
        let row = word.row.saturating_add(1);
        match (word.state, outcome) {
            (State::Closed, Outcome::Failure) if row >= self.failure_threshold => Some(word.open()),
            (State::Closed, Outcome::Failure) => Some(Word { row, ..word }),
            (State::Closed, Outcome::Success) => (word.row > 0).then_some(Word { row: 0, ..word }),
            (State::HalfOpen, Outcome::Failure | Outcome::Overloaded) => Some(word.open()),
            (State::HalfOpen, Outcome::Success) if row >= self.success_threshold => {
                Some(word.closed())
            }
            (State::HalfOpen, Outcome::Success) => Some(Word {
                row,
                probes: word.probes.saturating_sub(1),
                ..word
            }),
            (State::HalfOpen, Outcome::Ignored) => Some(Word {
                probes: word.probes.saturating_sub(1),
                ..word
            }),
            // An open breaker gives out no permits.
            (State::Closed, Outcome::Overloaded | Outcome::Ignored) | (State::Open, _) => None,
        }
    }

    fn swap(&self, seen: u64, from: Word, to: Word, now: Tick) -> Result<(), u64> {
        if to.generation != from.generation {
            // Before the swap: whoever sees the new generation sees when it began.
            self.note(to.generation, now);
        }
        self.word
            .compare_exchange_weak(seen, to.pack(), Ordering::AcqRel, Ordering::Acquire)
            .map(|_| ())
    }

    /// Never earlier: a thread that was held up changes nothing.
    fn note(&self, generation: u32, now: Tick) {
        self.since_of(generation)
            .fetch_max(now.as_nanos(), Ordering::AcqRel);
    }

    fn left(&self, word: Word, now: Tick) -> Duration {
        let since = Tick::from_nanos(self.since_of(word.generation).load(Ordering::Acquire));
        self.open_for.saturating_sub(now.since(since))
    }

    fn since_of(&self, generation: u32) -> &AtomicU64 {
        let [even, odd] = &self.since;
        if generation.is_multiple_of(2) {
            even
        } else {
            odd
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
