//! The whole state of a breaker in one word, so that it changes in one step.

use super::{Permit, State};

/// Generations are counted modulo 2^30. A straggler would have to outlive that many changes to be mistaken.
const GENERATIONS: u32 = (1 << 30) - 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) state: State,
    pub(super) generation: u32,
    /// Probes on their way, while half-open.
    pub(super) probes: u16,
    /// Failures in a row while closed, successes in a row while half-open.
    pub(super) row: u16,
}

impl Word {
    pub(super) const CLOSED: Self = Self {
        state: State::Closed,
        generation: 0,
        probes: 0,
        row: 0,
    };

    pub(super) const fn pack(self) -> u64 {
        let state = match self.state {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
        };
        (self.generation as u64) << 34 | state << 32 | (self.probes as u64) << 16 | self.row as u64
    }

    pub(super) fn unpack(word: u64) -> Self {
        let short = |bits: u64| u16::try_from(bits & u64::from(u16::MAX)).unwrap_or(u16::MAX);
        Self {
            state: match (word >> 32) & 3 {
                0 => State::Closed,
                1 => State::Open,
                _ => State::HalfOpen,
            },
            generation: u32::try_from(word >> 34).unwrap_or(GENERATIONS),
            probes: short(word >> 16),
            row: short(word),
        }
    }

    pub(super) const fn permit(self) -> Permit {
        Permit {
            generation: self.generation,
        }
    }

    pub(super) const fn closed(self) -> Self {
        self.next(State::Closed)
    }

    pub(super) const fn open(self) -> Self {
        self.next(State::Open)
    }

    /// From half-open to half-open the row goes on: the slots are given out anew, and what has succeeded has succeeded.
    pub(super) const fn half_open(self) -> Self {
        let next = self.next(State::HalfOpen);
        match self.state {
            State::HalfOpen => Self {
                row: self.row,
                ..next
            },
            State::Closed | State::Open => next,
        }
    }

    const fn next(self, state: State) -> Self {
        Self {
            state,
            generation: (self.generation + 1) & GENERATIONS,
            probes: 0,
            row: 0,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_was_packed() {
        for state in [State::Closed, State::Open, State::HalfOpen] {
            for (generation, probes, row) in [
                (0, 0, 0),
                (7, 1, 2),
                (GENERATIONS, u16::MAX, 0),
                (0, 0, u16::MAX),
            ] {
                let word = Word {
                    state,
                    generation,
                    probes,
                    row,
                };
                assert_eq!(Word::unpack(word.pack()), word);
            }
        }
    }

    #[test]
    fn generations_wrap() {
        let last = Word {
            generation: GENERATIONS,
            ..Word::CLOSED
        };
        assert_eq!(last.open().generation, 0);
    }
}
