//! Plays a script.

use std::any::Any;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use turmoil::Sim;

use crate::caller::{Caller, GONE};
use crate::clock::{EPOCH, SimulatedClock};
use crate::handler::Handler;
use crate::identity::Identity;
use crate::journal::{Event, Journal, Kind};
use crate::names::Names;
use crate::script::{Order, Script, Step};
use crate::server::{Machine, PORT};

/// Messages arrive, and hosts run, in turns of so long. Within its turn a host's time goes on by itself.
const TICK: Duration = Duration::from_millis(10);
/// How often the time that messages take changes.
const WEATHER: Duration = Duration::from_millis(250);
/// What fits into the buffers of a connection and of a listener, in messages. A simulation ends when a listener's is full.
const CAPACITY: usize = 4096;

/// A simulation that could not be played to its end.
#[derive(Debug, thiserror::Error)]
#[error("the simulation broke off after {after:?}: {what}")]
pub struct Broken {
    after: Duration,
    what: String,
}

/// Plays a script. `seed` decides all that the script leaves open: when calls are made, how long messages take, what the
/// clients draw. The same script and seed give the same journal.
///
/// # Errors
/// Something panicked that is not a task of its own, or a host could not do its part.
pub fn simulate(script: &Script, seed: u64) -> Result<Journal, Broken> {
    let mut after = Duration::ZERO;
    let played = catch_unwind(AssertUnwindSafe(|| {
        Stage::set(script, seed)?.play(&mut after)
    }));
    let what = match played {
        Ok(Ok(journal)) => return Ok(journal),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!("panicked: {}", said(&*panic)),
    };
    Err(Broken { after, what })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "without a word",
    }
}

/// The hosts, the network between them, and what pulls their strings.
struct Stage<'a> {
    script: &'a Script,
    sim: Sim<'static>,
    weather: StdRng,
    /// Links whose messages take a time of their own: client, server.
    delays: BTreeMap<(usize, usize), Duration>,
    servers: Vec<Server>,
    clients: Vec<(IpAddr, SimulatedClock)>,
    names: Names,
    journal: Journal,
}

struct Server {
    address: IpAddr,
    orders: UnboundedSender<Order>,
    handler: Handler,
    clock: SimulatedClock,
}

impl<'a> Stage<'a> {
    fn set(script: &'a Script, seed: u64) -> turmoil::Result<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut sim = turmoil::Builder::new()
            .rng_seed(random.random())
            .epoch(UNIX_EPOCH + Duration::from_secs(EPOCH))
            .tick_duration(TICK)
            .tcp_capacity(CAPACITY)
            .simulation_duration(Duration::MAX)
            .build();
        let journal = Journal::default();
        let identity = Identity::new()?;
        let mut servers = Vec::new();
        for server in 0..script.servers {
            let name = format!("server-{server}");
            let (sender, orders) = unbounded_channel();
            sender.send(Order::Start)?;
            let handler = Handler::new(server, journal.clone());
            let clock = SimulatedClock::default();
            let machine = Machine {
                handler: handler.clone(),
                identity: identity.clone(),
                clock: clock.clone(),
                orders,
            };
            sim.client(name.as_str(), machine.run());
            servers.push(Server {
                address: sim.lookup(name.as_str()),
                orders: sender,
                handler,
                clock,
            });
        }
        let addresses: Vec<SocketAddr> = servers
            .iter()
            .map(|server| SocketAddr::new(server.address, PORT))
            .collect();
        let names = Names::new(&addresses);
        let mut clients = Vec::new();
        for client in 0..script.clients {
            let name = format!("client-{client}");
            let clock = SimulatedClock::default();
            let caller = Caller {
                client,
                seed: random.random(),
                rate: script.rate,
                mix: script.mix,
                stop: script.stop,
                names: names.clone(),
                identity: identity.clone(),
                clock: clock.clone(),
                journal: journal.clone(),
            };
            sim.client(name.as_str(), caller.run());
            clients.push((sim.lookup(name.as_str()), clock));
        }
        Ok(Self {
            script,
            sim,
            weather: random,
            delays: BTreeMap::new(),
            servers,
            clients,
            names,
            journal,
        })
    }

    fn play(mut self, after: &mut Duration) -> turmoil::Result<Journal> {
        let script = self.script;
        let mut steps = script.steps.iter().peekable();
        let mut change = Duration::ZERO;
        let end = script.stop + 3 * Kind::Stream.timeout() + 2 * GONE;
        loop {
            let now = self.sim.elapsed();
            *after = now;
            while let Some((_, step)) = steps.next_if(|(at, _)| *at <= now) {
                self.journal.note_at(now, Event::Step(step.clone()));
                self.take(step)?;
            }
            if now >= change {
                if now >= end || (now > script.stop && self.everybody_left()) {
                    break;
                }
                change = now + WEATHER;
                self.change_weather();
            }
            self.sim.step()?;
        }
        for (at, server) in self.servers.iter().enumerate() {
            let handlers = server.handler.open();
            let event = Event::Remains {
                server: at,
                handlers,
            };
            self.journal.note_at(*after, event);
        }
        Ok(self.journal)
    }

    fn everybody_left(&self) -> bool {
        let left = |event: &Event| matches!(event, Event::Left { .. });
        self.journal.count(left) == self.script.clients
    }

    /// All messages of a link take the same time for a while, so that those which leave a host together arrive in order.
    fn change_weather(&mut self) {
        let (from, to) = self.script.latency;
        for (client, (client_address, _)) in self.clients.iter().enumerate() {
            for (server, to_server) in self.servers.iter().enumerate() {
                let drawn = Duration::from_millis(self.weather.random_range(from..=to));
                let latency = self.delays.get(&(client, server)).copied().unwrap_or(drawn);
                self.sim
                    .set_link_latency(*client_address, to_server.address, latency);
            }
        }
    }

    fn take(&mut self, step: &Step) -> turmoil::Result {
        let sim = &self.sim;
        let each = |links: &crate::script::Links, act: &dyn Fn(IpAddr, IpAddr)| {
            for (client, server) in links.each() {
                act(self.clients[client].0, self.servers[server].address);
            }
        };
        match step {
            Step::Cut(links) => each(links, &|client, server| sim.partition(client, server)),
            Step::CutTowards(links) => {
                each(links, &|client, server| {
                    sim.partition_oneway(client, server);
                });
            }
            Step::CutFrom(links) => {
                each(links, &|client, server| {
                    sim.partition_oneway(server, client);
                });
            }
            Step::Repair(links) => each(links, &|client, server| sim.repair(client, server)),
            Step::Hold(links) => each(links, &|client, server| sim.hold(client, server)),
            Step::Release(links) => each(links, &|client, server| sim.release(client, server)),
            Step::Delay(links, millis) => {
                let delay = Duration::from_millis(*millis);
                self.delays.extend(links.each().map(|link| (link, delay)));
            }
            Step::Undelay(links) => self
                .delays
                .retain(|link, _| links.each().all(|other| other != *link)),
            Step::Server(server, order) => self.servers[*server].orders.send(*order)?,
            Step::Manner(server, manner) => self.servers[*server].handler.behave(*manner),
            Step::Names(answer) => self.names.set(answer.clone()),
            Step::ServerClock(server, seconds) => {
                self.servers[*server].clock.set_offset(*seconds);
            }
            Step::ClientClock(client, seconds) => self.clients[*client].1.set_offset(*seconds),
        }
        Ok(())
    }
}
