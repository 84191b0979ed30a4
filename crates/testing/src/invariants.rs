//! What must hold in each simulation, whatever the seed.

mod reach;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tonic::Code;

use self::reach::Reach;
use crate::journal::{Event, Journal, Kind};
use crate::script::{Promise, Script};

/// A call may end so much after its deadline: a turn of the network, there and back, and the rounding of timers.
const SLACK: Duration = Duration::from_millis(50);
/// Within this time of the end of the trouble everything works again.
const RECOVERY: Duration = Duration::from_secs(5);
/// Within this time of the first lost call no more are sent to a server that is silent.
const DETOUR: Duration = Duration::from_secs(1);
/// Requests that reach handlers for each call that is made: with a budget of 20 % and nothing besides.
const AMPLIFICATION: f64 = 1.2;
/// The window over which requests are counted, and the calls without which a window says nothing.
const WINDOW: Duration = Duration::from_secs(10);
const ENOUGH: usize = 100;

/// A promise of the platform that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What should have held.
    pub invariant: &'static str,
    /// What happened instead.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// What a simulation shows.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Broken promises; a good simulation has none.
    pub violations: Vec<Violation>,
    /// Calls that were made.
    pub calls: usize,
    /// Those that failed.
    pub failed: usize,
    /// Attempts that were begun for them, in whatever way they ended.
    pub attempts: u64,
    /// How long after the end of the trouble the last call was begun that failed. Zero: none did.
    pub recovery: Duration,
}

/// A call from its beginning to its end.
struct Call {
    client: usize,
    kind: Kind,
    begun: Duration,
    ended: Option<End>,
    executions: Vec<Duration>,
}

struct End {
    at: Duration,
    code: Code,
    nobody: bool,
    message: String,
}

impl Call {
    fn failed(&self) -> Option<&End> {
        self.ended.as_ref().filter(|end| end.code != Code::Ok)
    }
}

/// Holds a journal against what was promised:
///
/// - each call ends by its deadline (and 50 ms);
/// - what may not be repeated reaches a handler once at most;
/// - there are at most 1.2 attempts for each call of each client, over the whole run; those count that were refused, and those
///   that never left. The floor of the budget is 0 here;
/// - at most 1.2 requests reach handlers for each call of each client, in each window of 10 s with at least 100 calls, where the
///   calls count from 3 s before the window on, for a request may come so late after its call has begun;
/// - calls that are begun later than 5 s after the end of the trouble succeed, and so do those that end before it begins;
/// - a call does not find nobody, at once or by its deadline, while an endpoint has been within reach and serving for 5 s;
/// - what the script promises besides: no call fails, or none that may be repeated, or a silent server is passed by;
/// - a closed channel leaves no task behind, and no handler runs when all is over.
pub fn check(script: &Script, journal: &Journal) -> Findings {
    let mut findings = Findings::default();
    let calls = read(script, journal, &mut findings);
    findings.calls = calls.len();
    findings.failed = calls
        .values()
        .filter(|call| call.failed().is_some())
        .count();
    for (id, call) in &calls {
        each(script, *id, call, &mut findings);
    }
    for client in 0..script.clients {
        let own: Vec<&Call> = calls
            .values()
            .filter(|call| call.client == client)
            .collect();
        amplification(client, &own, &mut findings);
        if script.promise == Promise::Detour {
            detour(script, client, &own, &mut findings);
        }
    }
    findings
}

impl Findings {
    /// Attempts for each call.
    pub fn amplification(&self) -> f64 {
        real(self.attempts) / real(self.calls.max(1) as u64)
    }

    fn broken(&mut self, invariant: &'static str, what: String) {
        self.violations.push(Violation { invariant, what });
    }
}

/// Puts the calls together; checks on the way what has to do with the state of the network.
fn read(script: &Script, journal: &Journal, findings: &mut Findings) -> BTreeMap<u64, Call> {
    let mut calls = BTreeMap::new();
    let mut reach = Reach::new(script);
    let mut left = 0;
    for entry in journal.entries() {
        let at = entry.at;
        match entry.event {
            Event::Step(step) => reach.step(at, &step),
            Event::Begun { client, id, kind } => {
                let call = Call {
                    client,
                    kind,
                    begun: at,
                    ended: None,
                    executions: Vec::new(),
                };
                calls.insert(id, call);
            }
            Event::Ended {
                client,
                id,
                code,
                nobody,
                message,
            } => {
                if nobody && let Some((server, since)) = reach.longest(client) {
                    let within = at.saturating_sub(since);
                    if within >= RECOVERY {
                        let what = format!(
                            "call {id} found nobody at {at:?}, though server {server} has served within reach for {within:?}: {message}"
                        );
                        findings.broken("nothing picks from an empty set", what);
                    }
                }
                if let Some(call) = calls.get_mut(&id) {
                    call.ended = Some(End {
                        at,
                        code,
                        nobody,
                        message,
                    });
                }
            }
            Event::Executed { id, .. } => {
                if let Some(call) = calls.get_mut(&id) {
                    call.executions.push(at);
                }
            }
            Event::Left {
                client,
                attempts,
                tasks,
            } => {
                left += 1;
                findings.attempts += attempts;
                let made = calls.values().filter(|call: &&Call| call.client == client);
                too_many(findings, attempts, made.count(), || {
                    format!("attempts in all for client {client}")
                });
                if tasks > 0 {
                    let what = format!("{tasks} tasks of client {client} run on");
                    findings.broken("a closed channel leaves nothing behind", what);
                }
            }
            Event::Remains { server, handlers } if handlers > 0 => {
                let what = format!("{handlers} handlers of server {server} run on");
                findings.broken("no handler outlives its call", what);
            }
            Event::Remains { .. } => {}
        }
    }
    if left < script.clients {
        let what = format!("{left} of {} clients came to their end", script.clients);
        findings.broken("a closed channel leaves nothing behind", what);
    }
    calls
}

/// What holds for each call.
fn each(script: &Script, id: u64, call: &Call, findings: &mut Findings) {
    let Call { kind, begun, .. } = call;
    let Some(end) = &call.ended else {
        let what = format!("call {id} ({kind:?}), begun at {begun:?}, never ends");
        return findings.broken("each call ends by its deadline", what);
    };
    let took = end.at.saturating_sub(*begun);
    if took > kind.timeout() + SLACK {
        let what = format!("call {id} ({kind:?}), begun at {begun:?}, took {took:?}");
        findings.broken("each call ends by its deadline", what);
    }
    if !kind.is_idempotent() && call.executions.len() > 1 {
        let what = format!(
            "call {id} ({kind:?}), begun at {begun:?}, was carried out at {:?}",
            call.executions
        );
        findings.broken("what may not be repeated is carried out once", what);
    }
    if end.code == Code::Ok {
        return;
    }
    let since_clear = begun.saturating_sub(script.clear);
    if *begun >= script.clear {
        findings.recovery = findings.recovery.max(since_clear);
    }
    let what = || {
        format!(
            "call {id} ({kind:?}), begun at {begun:?}, ended with {:?} after {took:?}: {}{}",
            end.code,
            if end.nobody { "nobody was there: " } else { "" },
            end.message
        )
    };
    let trouble = script.trouble();
    if trouble.is_none_or(|trouble| end.at < trouble) {
        findings.broken("without trouble no call fails", what());
    } else if *begun >= script.clear + RECOVERY {
        findings.broken("everything works again 5 s after the trouble", what());
    } else if script.promise == Promise::Lossless {
        findings.broken("no call is lost", what());
    } else if script.promise.is_for_idempotent() && kind.is_idempotent() {
        findings.broken("no call that may be repeated is lost", what());
    }
}

/// Whether a client goes on calling a server that is silent.
fn detour(script: &Script, client: usize, calls: &[&Call], findings: &mut Findings) {
    let lost = || calls.iter().filter(|call| call.failed().is_some());
    let Some(first) = lost().map(|call| call.begun).min() else {
        return;
    };
    let missed = first.max(script.trouble().unwrap_or_default());
    for call in lost().filter(|call| call.begun > missed + DETOUR + SLACK) {
        let what = format!(
            "client {client} missed an answer at {missed:?}, and lost a call ({:?}) that it began at {:?}",
            call.kind, call.begun
        );
        findings.broken("a silent server is passed by within 1 s", what);
    }
}

/// How many requests there were of one client, for how many calls, in each window.
fn amplification(client: usize, calls: &[&Call], findings: &mut Findings) {
    let mut executions: Vec<Duration> = calls
        .iter()
        .flat_map(|call| call.executions.iter().copied())
        .collect();
    executions.sort_unstable();
    let begun: Vec<Duration> = calls.iter().map(|call| call.begun).collect();
    let last = begun.last().copied().unwrap_or_default();
    let mut from = Duration::ZERO;
    while from < last {
        let to = from + WINDOW;
        let count = |times: &[Duration], from: Duration| {
            times.iter().filter(|at| (from..to).contains(*at)).count()
        };
        let earlier = from.saturating_sub(Kind::Stream.timeout());
        if count(&begun, from) >= ENOUGH {
            let requests = count(&executions, from) as u64;
            too_many(findings, requests, count(&begun, earlier), || {
                format!("requests of client {client} between {from:?} and {to:?}")
            });
        }
        from += Duration::from_secs(1);
    }
}

fn too_many(findings: &mut Findings, count: u64, calls: usize, of: impl Fn() -> String) {
    if real(count) > AMPLIFICATION * real(calls as u64) {
        let what = format!("{count} {} for {calls} calls", of());
        findings.broken("there are at most 1.2 for each call", what);
    }
}

/// Counts here are far below what a float counts exactly.
#[allow(clippy::cast_precision_loss, reason = "the numbers are small")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
