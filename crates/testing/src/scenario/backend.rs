//! A server fails.

use std::time::Duration;

use super::draw::Draw;
use crate::script::{Manner, Order, Promise, Script, Step};

fn behaves(draw: &mut Draw, promise: Promise, manner: Manner) -> Script {
    let mut script = draw.script();
    script.promise = promise;
    let server = draw.number(0..=2);
    let begin = draw.begin();
    let clear = begin + draw.millis(5_000..=15_000);
    script.at(begin, Step::Manner(server, manner));
    script.at(clear, Step::Manner(server, Manner::default()));
    script.cleared(clear)
}

pub(super) fn slow(draw: &mut Draw) -> Script {
    let manner = Manner {
        delay: draw.millis(200..=1_500),
        refuse: false,
    };
    behaves(draw, Promise::Lossless, manner)
}

pub(super) fn bad(draw: &mut Draw) -> Script {
    let manner = Manner {
        delay: Duration::ZERO,
        refuse: true,
    };
    behaves(draw, Promise::Idempotent, manner)
}

pub(super) fn kill(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Idempotent;
    let count = draw.number(1..=2);
    let begin = draw.begin();
    let clear = begin + draw.millis(1_000..=10_000);
    for server in draw.some(count, script.servers) {
        script.at(begin, Step::Server(server, Order::Kill));
        script.at(clear, Step::Server(server, Order::Start));
    }
    script.cleared(clear)
}

pub(super) fn flapping(draw: &mut Draw) -> Script {
    let mut script = draw.script();
    script.promise = Promise::Idempotent;
    let server = draw.number(0..=2);
    let mut at = draw.begin();
    for _ in 0..draw.number(4..=8) {
        script.at(at, Step::Server(server, Order::Kill));
        at += draw.millis(200..=2_500);
        script.at(at, Step::Server(server, Order::Start));
        at += draw.millis(200..=2_500);
    }
    script.cleared(at)
}
