//! Which endpoints there are: follows discovery, health and outlier detection, and says what is in rotation.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use scribemed_discovery::{Address, Discovery, View};
use scribemed_resilience::Tick;
use scribemed_resilience::breaker::Breaker;
use scribemed_resilience::outlier::{self, Detector};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Balancer, Otherwise, Snapshot};
use crate::clock::{Clock, Random};
use crate::endpoint::{Endpoint, Environment, State, run};

/// Old endpoints stay for so long at most when the new ones do not become healthy.
const LEAVE_AFTER: Duration = Duration::from_secs(10);

/// What a pool is told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Connections to one endpoint at most.
    pub(crate) connections: usize,
    pub(crate) outlier: outlier::Config,
}

/// The endpoints of a channel. Runs in a task of its own.
pub(crate) struct Pool {
    settings: Settings,
    environment: Arc<Environment>,
    balancer: Arc<Balancer>,
    breaker: Arc<Breaker>,
    discovery: Arc<Discovery>,
    clock: Clock,
    random: Arc<Random>,
    detector: Detector<Address>,
    /// In the order of the resolver; those that leave come last.
    members: Vec<Member>,
}

struct Member {
    endpoint: Arc<Endpoint>,
    /// Whether it has been in rotation.
    joined: bool,
    /// Since when it is no longer in what the resolver gives.
    leaving: Option<Tick>,
    _retire: DropGuard,
}

impl Pool {
    pub(crate) fn new(
        settings: Settings,
        environment: Arc<Environment>,
        balancer: Arc<Balancer>,
        breaker: Arc<Breaker>,
        discovery: Arc<Discovery>,
        clock: Clock,
    ) -> Self {
        Self {
            detector: Detector::new(settings.outlier),
            settings,
            random: Arc::clone(&environment.random),
            environment,
            balancer,
            breaker,
            discovery,
            clock,
            members: Vec::new(),
        }
    }

    /// Runs until `closed`.
    pub(crate) async fn run(mut self, closed: CancellationToken) {
        let mut views = self.discovery.subscribe();
        let mut sweep = tokio::time::interval(self.settings.outlier.interval);
        sweep.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick of an interval is at once.
        sweep.reset();
        let mut told = None;
        loop {
            let view = views.borrow_and_update().clone();
            if view.resolved_at != told {
                told = view.resolved_at;
                self.environment.metrics.resolution(true);
            }
            if view.error.is_some() {
                self.environment.metrics.resolution(false);
            }
            self.reconcile(&view);
            loop {
                self.publish(&view);
                let patience = self.until_next_leaves();
                let environment = Arc::clone(&self.environment);
                tokio::select! {
                    biased;
                    () = closed.cancelled() => return,
                    changed = views.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        break;
                    }
                    () = environment.changed.notified() => {
                        if environment.lost.swap(false, Relaxed) {
                            self.discovery.refresh();
                        }
                    }
                    _ = sweep.tick() => self.sweep(),
                    () = tokio::time::sleep(patience) => {}
                }
            }
        }
    }

    /// Makes endpoints for new addresses, and lets those go whose addresses are gone.
    fn reconcile(&mut self, view: &View) {
        let now = self.clock.now();
        let mut old = std::mem::take(&mut self.members);
        for address in view.addresses.iter() {
            let known = old
                .iter()
                .position(|member| member.endpoint.address == *address);
            let member = if let Some(at) = known {
                let mut member = old.remove(at);
                member.leaving = None;
                member.endpoint.leaving.store(false, Relaxed);
                member
            } else {
                self.start(address.clone(), now)
            };
            self.members.push(member);
        }
        for mut member in old {
            member.leaving.get_or_insert(now);
            member.endpoint.leaving.store(true, Relaxed);
            self.members.push(member);
        }
    }

    fn start(&self, address: Address, now: Tick) -> Member {
        let retired = CancellationToken::new();
        let endpoint = Arc::new(Endpoint::new(address, self.settings.connections, now));
        for index in 0..self.settings.connections.max(1) {
            tokio::spawn(run(
                Arc::clone(&self.environment),
                Arc::clone(&endpoint),
                index,
                retired.clone(),
            ));
        }
        Member {
            endpoint,
            joined: false,
            leaving: None,
            _retire: retired.drop_guard(),
        }
    }

    /// New endpoints are healthy before old ones go: those that leave stay in rotation until one of the others is ready and
    /// no other is still on its way, or for 10 s once one is ready.
    fn let_go(&mut self, now: Tick) {
        let staying = || {
            self.members
                .iter()
                .filter(|member| member.leaving.is_none())
        };
        let ready = staying().any(|member| member.endpoint.state() == State::Ready);
        let settled = staying()
            .all(|member| !matches!(member.endpoint.state(), State::Idle | State::Connecting));
        if !ready {
            return;
        }
        self.members.retain(|member| {
            member
                .leaving
                .is_none_or(|since| !settled && now.since(since) < LEAVE_AFTER)
        });
    }

    fn until_next_leaves(&self) -> Duration {
        if self.members.iter().any(|member| member.leaving.is_some()) {
            LEAVE_AFTER
        } else {
            Duration::from_secs(3600)
        }
    }

    /// Says what is in rotation now.
    fn publish(&mut self, view: &View) {
        let now = self.clock.now();
        self.let_go(now);
        let states: Vec<State> = self
            .members
            .iter()
            .map(|member| member.endpoint.state())
            .collect();
        let rotation = rotation(&states, |at| {
            self.members[at].endpoint.ejected.load(Relaxed)
        });
        let at_work: Vec<Duration> = self
            .members
            .iter()
            .filter(|member| member.joined)
            .map(|member| member.endpoint.load.latency(now))
            .collect();
        let usual = at_work.iter().min().copied();
        let mut recovered = false;
        let mut ready = Vec::new();
        for (member, is_in) in self.members.iter_mut().zip(rotation) {
            if is_in {
                if !member.joined {
                    recovered = true;
                    if let Some(usual) = usual {
                        member.endpoint.warm_up(usual, now);
                    }
                }
                ready.push(Arc::clone(&member.endpoint));
            }
            member.joined = is_in;
        }
        if recovered && self.breaker.probe_now(now) {
            tracing::info!("an endpoint is ready again: the circuit breaker lets probes through");
        }
        self.environment
            .probing
            .alone
            .store(ready.len() < 2, Relaxed);
        for state in State::ALL {
            let count = states.iter().filter(|other| **other == state).count();
            self.environment
                .metrics
                .endpoints(state.name(), i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.balancer.publish(Snapshot {
            ready: ready.into(),
            otherwise: self.otherwise(view, &states),
            all: self
                .members
                .iter()
                .map(|member| Arc::clone(&member.endpoint))
                .collect(),
        });
    }

    /// What a call is told while nothing is in rotation. By the `states` from which the rotation follows: an endpoint that has
    /// become ready since then is neither in it nor still connecting, and would count as failing.
    fn otherwise(&self, view: &View, states: &[State]) -> Otherwise {
        if self.members.is_empty() {
            return match &view.error {
                Some(error) => Otherwise::Failing(error.to_string().into()),
                None => Otherwise::Connecting,
            };
        }
        let connecting = states
            .iter()
            .any(|state| matches!(state, State::Idle | State::Connecting));
        if connecting {
            return Otherwise::Connecting;
        }
        let said = self.members.iter().find_map(|member| {
            let what = member.endpoint.last_failure()?;
            Some(format!("{}: {what}", member.endpoint.name))
        });
        let text = match (said, self.members.len()) {
            (Some(said), 1) => said,
            (Some(said), count) => format!("none of {count} endpoints is ready; {said}"),
            (None, count) => format!("none of {count} endpoints is ready"),
        };
        Otherwise::Failing(text.into())
    }

    /// Ejects outliers, and lets ejected ones back in (gRFC A50).
    fn sweep(&mut self) {
        let tallies: Vec<_> = self
            .members
            .iter()
            .map(|member| {
                (
                    member.endpoint.address.clone(),
                    member.endpoint.ledger.take(),
                )
            })
            .collect();
        let swept = self
            .detector
            .sweep(&tallies, self.clock.now(), &mut self.random.source());
        for (addresses, ejected) in [(&swept.ejected, true), (&swept.restored, false)] {
            for member in &self.members {
                if addresses.contains(&member.endpoint.address) {
                    member.endpoint.ejected.store(ejected, Relaxed);
                    tracing::warn!(endpoint = %member.endpoint.name, ejected, "outlier detection");
                }
            }
        }
        self.environment.metrics.ejected(
            u64::try_from(swept.ejected.len()).unwrap_or(u64::MAX),
            u64::from(swept.unenforced),
        );
    }
}

/// Which of the endpoints in these states are in rotation.
///
/// Those that are ready and not ejected; but where they are fewer than half of the connected ones, all of these (Envoy's panic
/// threshold): when most are out, the fault lies more likely with who judges than with all of them. One that says itself that
/// it does not serve stays out all the same.
fn rotation(states: &[State], ejected: impl Fn(usize) -> bool) -> Vec<bool> {
    let fit = |at: usize| states[at] == State::Ready && !ejected(at);
    let connected = |at: usize| matches!(states[at], State::Ready | State::Unknown);
    let count = |is: &dyn Fn(usize) -> bool| (0..states.len()).filter(|at| is(*at)).count();
    let panic = count(&fit) * 2 < count(&connected);
    (0..states.len())
        .map(|at| if panic { connected(at) } else { fit(at) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panic_floor_holds_where_most_are_out() {
        use State::{Connecting, NotServing, Ready, Unknown};
        let check = |states: &[State], ejected: &[usize], expect: &[usize]| {
            let found: Vec<usize> = rotation(states, |at| ejected.contains(&at))
                .iter()
                .enumerate()
                .filter_map(|(at, is_in)| is_in.then_some(at))
                .collect();
            assert_eq!(found, expect, "{states:?} without {ejected:?}");
        };
        check(&[], &[], &[]);
        check(&[Connecting, NotServing], &[], &[]);
        check(&[Ready, NotServing, Connecting], &[], &[0]);
        check(&[Ready, Ready, Ready, Ready], &[1], &[0, 2, 3]);
        check(&[Ready, Ready, Ready, Ready], &[1, 2], &[0, 3]);
        check(&[Ready, Ready, Ready, Ready], &[0, 1, 2], &[0, 1, 2, 3]);
        check(&[Ready, Unknown, Unknown], &[], &[0, 1, 2]);
        check(&[Unknown, NotServing], &[], &[0]);
        check(&[Ready, Unknown], &[], &[0]);
    }
}
