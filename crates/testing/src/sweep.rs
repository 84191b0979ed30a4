//! Many seeds at once.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::invariants::{Findings, Violation, check};
use crate::journal::Journal;
use crate::scenario::Scenario;
use crate::simulation::simulate;

/// What the seeds of one scenario have shown.
#[derive(Debug, Clone)]
pub struct Summary {
    /// The scenario.
    pub scenario: &'static str,
    /// How many seeds were played.
    pub seeds: usize,
    /// Calls that were made.
    pub calls: usize,
    /// Those that failed.
    pub failed: usize,
    /// The slowest recovery of any seed.
    pub recovery: Duration,
    /// The most requests that reached handlers for each call, of any seed.
    pub amplification: f64,
    /// The seeds that broke a promise, in order.
    pub failures: Vec<Failure>,
}

/// A seed that broke a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The scenario.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// What it broke.
    pub violations: Vec<Violation>,
}

/// How many times a seed is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// Once.
    Once,
    /// Twice: a second time that differs from the first is a broken promise, too.
    Twice,
}

/// Plays each scenario with each seed, on so many threads.
pub fn sweep(
    scenarios: &[Scenario],
    seeds: Range<u64>,
    times: Play,
    threads: usize,
) -> Vec<Summary> {
    // The first seed of each scenario, then the second: those that take long do not come last.
    let games: Vec<(usize, u64)> = seeds
        .flat_map(|seed| (0..scenarios.len()).map(move |at| (at, seed)))
        .collect();
    let next = AtomicUsize::new(0);
    let played: Mutex<Vec<(usize, u64, Findings)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(&(at, seed)) = games.get(next.fetch_add(1, Relaxed)) {
                    let findings = play(scenarios[at], seed, times);
                    played
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((at, seed, findings));
                }
            });
        }
    });
    let mut played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    played.sort_by_key(|(at, seed, _)| (*at, *seed));
    scenarios
        .iter()
        .enumerate()
        .map(|(at, scenario)| {
            let own = played.iter().filter(|(of, ..)| *of == at);
            summary(
                scenario.name,
                own.map(|(_, seed, findings)| (*seed, findings)),
            )
        })
        .collect()
}

fn play(scenario: Scenario, seed: u64, times: Play) -> Findings {
    let script = scenario.script(seed);
    let played = simulate(&script, seed).and_then(|journal| {
        let mut findings = check(&script, &journal);
        if times == Play::Twice {
            let again = simulate(&script, seed)?;
            findings.violations.extend(differ(&journal, &again));
        }
        Ok(findings)
    });
    played.unwrap_or_else(|broken| Findings {
        violations: vec![Violation {
            invariant: "the simulation is played to its end",
            what: broken.to_string(),
        }],
        ..Findings::default()
    })
}

/// The first line in which two journals differ.
fn differ(first: &Journal, second: &Journal) -> Option<Violation> {
    let (first, second) = (first.text(), second.text());
    let mut seconds = second.lines();
    let line = first
        .lines()
        .map(|line| (line, seconds.next().unwrap_or("the end")))
        .find(|(one, other)| one != other);
    let (one, other) = match line {
        Some(differ) => differ,
        None => ("the end", seconds.next()?),
    };
    Some(Violation {
        invariant: "a seed gives the same simulation again",
        what: format!("{one}, then {other}"),
    })
}

fn summary<'a>(
    scenario: &'static str,
    played: impl Iterator<Item = (u64, &'a Findings)>,
) -> Summary {
    let mut summary = Summary {
        scenario,
        seeds: 0,
        calls: 0,
        failed: 0,
        recovery: Duration::ZERO,
        amplification: 0.0,
        failures: Vec::new(),
    };
    for (seed, findings) in played {
        summary.seeds += 1;
        summary.calls += findings.calls;
        summary.failed += findings.failed;
        summary.recovery = summary.recovery.max(findings.recovery);
        summary.amplification = summary.amplification.max(findings.amplification());
        if !findings.violations.is_empty() {
            summary.failures.push(Failure {
                scenario,
                seed,
                violations: findings.violations.clone(),
            });
        }
    }
    summary
}

/// A line of a table.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<22} {:>5} seeds {:>8} calls {:>6} failed  recovery {:>5.2} s  amplification {:.3}  {}",
            self.scenario,
            self.seeds,
            self.calls,
            self.failed,
            self.recovery.as_secs_f64(),
            self.amplification,
            match self.failures.len() {
                0 => "ok".to_owned(),
                count => format!("{count} SEEDS BROKE A PROMISE"),
            }
        )
    }
}

/// What was broken, and how to see it again.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let Self { scenario, seed, .. } = self;
        writeln!(f, "{scenario}, seed {seed}:")?;
        for violation in self.violations.iter().take(SHOWN) {
            writeln!(f, "  {violation}")?;
        }
        if let Some(more) = self.violations.len().checked_sub(SHOWN + 1) {
            writeln!(f, "  and {} more", more + 1)?;
        }
        write!(
            f,
            "  cargo xtask simulate --scenario {scenario} --first {seed} --seeds 1 --verbose"
        )
    }
}
