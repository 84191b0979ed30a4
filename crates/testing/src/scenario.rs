//! What can go wrong, drawn from a seed.

mod backend;
mod draw;
mod links;
mod platform;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::draw::Draw;
use crate::script::Script;

/// A kind of trouble.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// As it is asked for on the command line.
    pub name: &'static str,
    /// What happens, and what is promised besides what always holds.
    pub about: &'static str,
    draw: fn(&mut Draw) -> Script,
}

impl Scenario {
    /// What this seed makes of it.
    pub fn script(&self, seed: u64) -> Script {
        // Each scenario has a stream of numbers of its own (FNV-1a of its name), and none that a simulation is played by.
        let name = self
            .name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let mut draw = Draw::new(StdRng::seed_from_u64(name ^ seed));
        (self.draw)(&mut draw)
    }
}

/// All of them.
pub const ALL: [Scenario; 15] = [
    Scenario {
        name: "partition",
        about: "messages between some clients and some servers are lost; one server is passed by within 1 s, and nothing repeatable fails",
        draw: links::partition,
    },
    Scenario {
        name: "asymmetric-partition",
        about: "the same, in one direction only",
        draw: links::asymmetric,
    },
    Scenario {
        name: "black-hole",
        about: "servers are silent and nobody is told; one is passed by within 1 s, and nothing repeatable fails",
        draw: links::black_hole,
    },
    Scenario {
        name: "slow-link",
        about: "the way to a server becomes long; nothing fails",
        draw: links::slow,
    },
    Scenario {
        name: "slow-backend",
        about: "a server answers, and takes its time; nothing fails",
        draw: backend::slow,
    },
    Scenario {
        name: "bad-backend",
        about: "a server refuses every call; nothing repeatable fails",
        draw: backend::bad,
    },
    Scenario {
        name: "kill",
        about: "one or two of three servers die and come back; nothing repeatable fails",
        draw: backend::kill,
    },
    Scenario {
        name: "flapping",
        about: "a server dies and comes back all the time; nothing repeatable fails",
        draw: backend::flapping,
    },
    Scenario {
        name: "rolling-restart",
        about: "each server drains and is replaced, one after the other; nothing fails",
        draw: platform::rolling_restart,
    },
    Scenario {
        name: "goaway-race",
        about: "servers drain in quick succession on slow links, so that calls cross GOAWAY; nothing fails",
        draw: platform::goaway_race,
    },
    Scenario {
        name: "dns",
        about: "names cannot be looked up, then the set of servers changes; nothing fails",
        draw: platform::dns,
    },
    Scenario {
        name: "retry-storm",
        about: "every server refuses every call for a while",
        draw: platform::retry_storm,
    },
    Scenario {
        name: "reconnect-herd",
        about: "every server of thirty clients dies at once",
        draw: platform::reconnect_herd,
    },
    Scenario {
        name: "clock-skew",
        about: "wall clocks are up to 60 s apart, and jump; nothing fails",
        draw: platform::clock_skew,
    },
    Scenario {
        name: "chaos",
        about: "several troubles at once, of links, servers and names",
        draw: platform::chaos,
    },
];

/// The one of this name.
pub fn by_name(name: &str) -> Option<Scenario> {
    ALL.into_iter().find(|scenario| scenario.name == name)
}
