//! The network fails.

use super::draw::Draw;
use crate::script::{Links, Promise, Script, Step};

/// How many servers are out of reach, what is promised then.
fn some_servers(draw: &mut Draw, script: &mut Script) -> Links {
    let count = draw.one(&[1, 1, 1, 2, 3]);
    let servers = draw.some(count, script.servers);
    let clients = if draw.coin() {
        script.clients
    } else {
        draw.number(1..=script.clients)
    };
    if count == 1 {
        script.promise = Promise::Detour;
    }
    Links {
        clients: draw.some(clients, script.clients),
        servers,
    }
}

fn between(
    draw: &mut Draw,
    mut script: Script,
    links: Links,
    fail: fn(Links) -> Step,
    heal: fn(Links) -> Step,
) -> Script {
    let begin = draw.begin();
    let clear = begin + draw.millis(500..=12_000);
    script.at(begin, fail(links.clone()));
    script.at(clear, heal(links));
    script.cleared(clear)
}

pub(super) fn partition(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    let links = some_servers(draw, &mut script);
    between(draw, script, links, Step::Cut, Step::Repair)
}

pub(super) fn asymmetric(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    let links = some_servers(draw, &mut script);
    let fail: fn(Links) -> Step = if draw.coin() {
        Step::CutTowards
    } else {
        Step::CutFrom
    };
    between(draw, script, links, fail, Step::Repair)
}

pub(super) fn black_hole(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    let links = some_servers(draw, &mut script);
    between(draw, script, links, Step::Hold, Step::Release)
}

pub(super) fn slow(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Lossless;
    let server = draw.number(0..=2);
    let links = script.links(&[server]);
    let (begin, millis) = (draw.begin(), draw.number(50..=400));
    let clear = begin + draw.millis(5_000..=15_000);
    script.at(begin, Step::Delay(links.clone(), millis as u64));
    script.at(clear, Step::Undelay(links));
    script.cleared(clear)
}
