//! How long a connection lives, and how it ends (gRFC A9).

use std::time::Duration;

use tokio::time::Instant;

/// How long a peer may take to acknowledge that it was told to go elsewhere. After that a connection without calls is closed all the
/// same.
const ACKNOWLEDGE: Duration = Duration::from_secs(5);
/// How often a connection that should have ended is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// As good as never.
const NEVER: Duration = Duration::from_secs(86_400 * 365);

/// What one connection is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Its age.
    pub(crate) age: Option<Duration>,
    /// The time without a call.
    pub(crate) idle: Option<Duration>,
    /// The time for calls in flight after that.
    pub(crate) grace: Duration,
}

/// Decides when a connection is over. Told the time, as it has no clock.
#[derive(Debug)]
pub(crate) struct Lifetime {
    terms: Terms,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Serving {
        aged: Option<Instant>,
        idle: Option<Instant>,
        /// How many calls there had been when this was last looked at.
        calls: u64,
    },
    /// The peer was told to go elsewhere.
    Leaving { look: Instant, cut: Option<Instant> },
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing yet.
    Stay,
    /// The peer is to be told to go elsewhere.
    Leave,
    /// The connection is to be closed.
    Close,
}

impl Lifetime {
    pub(crate) fn begin(terms: Terms, now: Instant) -> Self {
        Self {
            terms,
            phase: Phase::Serving {
                aged: terms.age.map(|age| now + age.min(NEVER)),
                idle: terms.idle.map(|idle| now + idle.min(NEVER)),
                calls: 0,
            },
        }
    }

    /// When to look next.
    pub(crate) fn due(&self, now: Instant) -> Instant {
        let (first, second) = match self.phase {
            Phase::Serving { aged, idle, .. } => (aged, idle),
            Phase::Leaving { look, cut } => (Some(look), cut),
        };
        first.into_iter().chain(second).min().unwrap_or(now + NEVER)
    }

    /// Whether the peer was told to go elsewhere.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.phase, Phase::Leaving { .. })
    }

    /// The server shuts down: the peer is told to go elsewhere now. How long calls may take is the server's affair.
    pub(crate) fn leave(&mut self, now: Instant) {
        self.phase = Phase::Leaving {
            look: now + ACKNOWLEDGE,
            cut: None,
        };
    }

    /// Looks at a connection on which calls are in flight if it is `busy`, and on which there have been `calls` in all.
    pub(crate) fn look(&mut self, now: Instant, busy: bool, calls: u64) -> Verdict {
        match &mut self.phase {
            Phase::Serving {
                aged,
                idle,
                calls: before,
            } => {
                let is_old = aged.is_some_and(|aged| now >= aged);
                let mut is_idle = idle.is_some_and(|idle| now >= idle);
                if is_idle && (busy || calls != *before) {
                    *before = calls;
                    *idle = self.terms.idle.map(|idle| now + idle.min(NEVER));
                    is_idle = false;
                }
                if !is_old && !is_idle {
                    return Verdict::Stay;
                }
                self.phase = Phase::Leaving {
                    look: now + ACKNOWLEDGE,
                    cut: Some(now + self.terms.grace.min(NEVER)),
                };
                Verdict::Leave
            }
            Phase::Leaving { look, cut } => {
                let is_cut = cut.is_some_and(|cut| now >= cut);
                if is_cut || (now >= *look && !busy) {
                    return Verdict::Close;
                }
                if now >= *look {
                    *look = now + LOOK;
                }
                Verdict::Stay
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TERMS: Terms = Terms {
        age: Some(Duration::from_secs(100)),
        idle: Some(Duration::from_secs(40)),
        grace: Duration::from_secs(20),
    };

    #[test]
    fn who_is_old_leaves_and_is_cut_off_after_the_grace() {
        let now = Instant::now();
        let mut life = Lifetime::begin(TERMS, now);
        for at in [40, 80] {
            assert_eq!(life.due(now), now + at * SECOND);
            assert_eq!(life.look(now + at * SECOND, true, 1), Verdict::Stay);
        }
        assert_eq!(life.due(now), now + 100 * SECOND);
        assert_eq!(life.look(now + 100 * SECOND, true, 1), Verdict::Leave);
        assert!(life.is_leaving());
        for at in 105..120 {
            assert_eq!(life.due(now), now + at * SECOND);
            assert_eq!(life.look(now + at * SECOND, true, 1), Verdict::Stay);
        }
        assert_eq!(life.look(now + 120 * SECOND, true, 1), Verdict::Close);
    }

    #[test]
    fn who_has_no_calls_leaves_and_need_not_say_so() {
        let now = Instant::now();
        let mut life = Lifetime::begin(TERMS, now);
        // There was a call meanwhile.
        assert_eq!(life.look(now + 40 * SECOND, false, 1), Verdict::Stay);
        assert_eq!(life.look(now + 80 * SECOND, false, 1), Verdict::Leave);
        assert_eq!(life.look(now + 84 * SECOND, false, 1), Verdict::Stay);
        assert_eq!(life.look(now + 85 * SECOND, false, 1), Verdict::Close);
    }

    #[test]
    fn a_shutdown_waits_for_calls_as_long_as_the_server_does() {
        let now = Instant::now();
        let unlimited = Terms {
            age: None,
            idle: None,
            ..TERMS
        };
        let mut life = Lifetime::begin(unlimited, now);
        assert!(life.due(now) > now + 86_400 * SECOND);
        life.leave(now);
        assert_eq!(life.look(now + 5 * SECOND, true, 1), Verdict::Stay);
        assert_eq!(life.look(now + 3_600 * SECOND, true, 1), Verdict::Stay);
        assert_eq!(life.look(now + 3_601 * SECOND, false, 1), Verdict::Close);
    }
}
