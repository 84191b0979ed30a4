//! What a whole fleet goes through.

use std::time::Duration;

use super::draw::{Draw, FAILURES};
use crate::names::Answer;
use crate::script::{Links, Manner, Order, Promise, Script, Step};

pub(super) fn rolling_restart(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Lossless;
    let mut at = draw.begin();
    for server in 0..script.servers {
        script.at(at, Step::Server(server, Order::Drain));
        at += draw.millis(50..=4_000);
        script.at(at, Step::Server(server, Order::Start));
        // A new one is waited for before the next one goes.
        at += draw.millis(4_000..=6_000);
    }
    script.cleared(at)
}

pub(super) fn goaway_race(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Lossless;
    script.rate = 50;
    script.clients = 2;
    script.latency = (5, 100);
    let mut at = draw.begin();
    for turn in 0..draw.number(9..=15) {
        let server = turn % script.servers;
        script.at(at, Step::Server(server, Order::Drain));
        let back = at + draw.millis(50..=500);
        script.at(back, Step::Server(server, Order::Start));
        at = back + draw.millis(500..=1_200);
    }
    script.cleared(at)
}

pub(super) fn dns(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Lossless;
    script.servers = 4;
    script.at(Duration::ZERO, Step::Names(Answer::Servers(vec![0, 1, 2])));
    let mut at = draw.begin();
    for _ in 0..draw.number(1..=3) {
        let failure = draw.one(&FAILURES);
        script.at(at, Step::Names(failure));
        at += draw.millis(500..=6_000);
    }
    // One comes and one goes; it is switched off when nobody has reason to call it any more.
    script.at(at, Step::Names(Answer::Servers(vec![1, 2, 3])));
    at += Duration::from_secs(12);
    script.at(at, Step::Server(0, Order::Drain));
    script.cleared(at)
}

pub(super) fn retry_storm(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    let begin = draw.begin();
    let clear = begin + draw.millis(2_000..=12_000);
    let refuse = Manner {
        delay: draw.millis(0..=100),
        refuse: true,
    };
    for server in 0..script.servers {
        script.at(begin, Step::Manner(server, refuse));
        script.at(clear, Step::Manner(server, Manner::default()));
    }
    script.cleared(clear)
}

pub(super) fn reconnect_herd(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.clients = 30;
    script.rate = 4;
    let begin = draw.begin();
    let clear = begin + draw.millis(500..=5_000);
    for server in 0..script.servers {
        script.at(begin, Step::Server(server, Order::Kill));
        script.at(clear, Step::Server(server, Order::Start));
    }
    script.cleared(clear)
}

pub(super) fn clock_skew(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Lossless;
    script.rate = 8;
    script.mix = [10, 5, 5, 5, 75];
    // The issuer is right. Nobody is more than 30 s from it, so no two are more than 60 s apart.
    let mut at = Duration::ZERO;
    for _ in 0..3 {
        for server in 0..script.servers {
            let offset = draw.offset(-30..=30);
            script.at(at, Step::ServerClock(server, offset));
        }
        for client in 0..script.clients {
            let offset = draw.offset(-30..=30);
            script.at(at, Step::ClientClock(client, offset));
        }
        at += draw.millis(12_000..=18_000);
    }
    script.cleared(at)
}

pub(super) fn chaos(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    let begin = draw.begin();
    let clear = begin + draw.millis(10_000..=15_000);
    // Each link and each server has one trouble at most at a time, so that the end of one is not the end of another.
    for server in 0..script.servers {
        let mut at = begin + draw.millis(0..=3_000);
        while at < clear {
            let end = (at + draw.millis(300..=6_000)).min(clear);
            trouble(draw, &mut script, server, at, end);
            at = end + draw.millis(200..=3_000);
        }
    }
    let mut at = begin + draw.millis(0..=5_000);
    while at < clear {
        let failure = draw.one(&FAILURES);
        script.at(at, Step::Names(failure));
        at += draw.millis(500..=3_000);
        script.at(at.min(clear), Step::Names(Answer::Servers(vec![0, 1, 2])));
        at += draw.millis(500..=3_000);
    }
    script.cleared(clear)
}

/// Some trouble with a server between `from` and `to`.
fn trouble(draw: &mut Draw, script: &mut Script, server: usize, from: Duration, to: Duration) {
    let count = draw.number(1..=script.clients);
    let links = Links {
        clients: draw.some(count, script.clients),
        servers: vec![server],
    };
    let manner = Manner {
        delay: draw.millis(0..=2_500),
        refuse: draw.coin(),
    };
    let (begins, ends) = match draw.number(0..=7) {
        0 => (Step::Cut(links.clone()), Step::Repair(links)),
        1 => (Step::CutFrom(links.clone()), Step::Repair(links)),
        2 => (Step::CutTowards(links.clone()), Step::Repair(links)),
        3 => (Step::Hold(links.clone()), Step::Release(links)),
        4 => (Step::Delay(links.clone(), 300), Step::Undelay(links)),
        5 => (
            Step::Server(server, Order::Kill),
            Step::Server(server, Order::Start),
        ),
        6 => (
            Step::Server(server, Order::Drain),
            Step::Server(server, Order::Start),
        ),
        _ => (
            Step::Manner(server, manner),
            Step::Manner(server, Manner::default()),
        ),
    };
    script.at(from, begins);
    script.at(to, ends);
}
