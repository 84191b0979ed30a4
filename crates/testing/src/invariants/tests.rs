#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::scenario;
use crate::script::{Links, Order, Step};

/// One client, two servers; server 0 is cut off from 5 s to 8 s.
fn script(promise: Promise) -> Script {
    let mut script = scenario::by_name("partition").unwrap().script(0);
    script.clients = 1;
    script.servers = 2;
    script.steps.clear();
    let links = Links {
        clients: vec![0],
        servers: vec![0],
    };
    script.at(secs(5.0), Step::Cut(links.clone()));
    script.at(secs(8.0), Step::Repair(links));
    script.clear = secs(8.0);
    script.promise = promise;
    script
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn begun(id: u64, kind: Kind) -> Event {
    Event::Begun {
        client: 0,
        id,
        kind,
    }
}

fn executed(id: u64) -> Event {
    Event::Executed {
        server: 0,
        id,
        previous: 0,
    }
}

fn ended(id: u64, code: Code) -> Event {
    Event::Ended {
        client: 0,
        id,
        code,
        nobody: false,
        message: String::new(),
    }
}

fn nobody(id: u64) -> Event {
    Event::Ended {
        client: 0,
        id,
        code: Code::Unavailable,
        nobody: true,
        message: String::new(),
    }
}

fn left(attempts: u64, tasks: usize) -> Event {
    Event::Left {
        client: 0,
        attempts,
        tasks,
    }
}

/// Which invariants are broken by these events, with those of the script among them.
fn broken(script: &Script, events: &[(f64, Event)]) -> Vec<&'static str> {
    let journal = Journal::default();
    let steps = script
        .steps
        .iter()
        .map(|(at, step)| (at.as_secs_f64(), Event::Step(step.clone())));
    let mut all: Vec<(f64, Event)> = steps.chain(events.iter().cloned()).collect();
    all.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (at, event) in all {
        journal.note_at(secs(at), event);
    }
    let mut broken: Vec<_> = check(script, &journal)
        .violations
        .iter()
        .map(|violation| violation.invariant)
        .collect();
    broken.dedup();
    broken
}

/// A call of this kind that begins and ends then, and the end of the client.
fn one(kind: Kind, begins: f64, ends: f64, code: Code) -> Vec<(f64, Event)> {
    vec![
        (begins, begun(1, kind)),
        (ends, ended(1, code)),
        (30.0, left(1, 0)),
    ]
}

#[test]
fn a_good_run_breaks_nothing() {
    let check = |promise, events: &[(f64, Event)]| {
        assert_eq!(broken(&script(promise), events), [""; 0], "{events:?}");
    };
    check(Promise::Lossless, &one(Kind::Once, 1.0, 1.2, Code::Ok));
    check(
        Promise::Recovery,
        &one(Kind::Call, 5.5, 7.5, Code::DeadlineExceeded),
    );
    check(
        Promise::Idempotent,
        &one(Kind::Once, 5.5, 6.0, Code::Unavailable),
    );
    check(
        Promise::Recovery,
        &one(Kind::Call, 12.9, 13.0, Code::Unavailable),
    );
}

#[test]
fn each_invariant_can_be_broken() {
    let check = |promise, events: &[(f64, Event)], expect: &str| {
        assert_eq!(broken(&script(promise), events), [expect], "{events:?}");
    };
    let any = Promise::Recovery;
    let deadline = "each call ends by its deadline";
    check(any, &one(Kind::Call, 1.0, 3.1, Code::Ok), deadline);
    check(
        any,
        &[(1.0, begun(1, Kind::Call)), (30.0, left(1, 0))],
        deadline,
    );
    let quiet = "without trouble no call fails";
    check(any, &one(Kind::Call, 4.0, 4.1, Code::Unavailable), quiet);
    let again = "everything works again 5 s after the trouble";
    check(any, &one(Kind::Once, 13.1, 13.2, Code::Unavailable), again);
    let lossless = one(Kind::Once, 6.0, 6.1, Code::Unavailable);
    check(Promise::Lossless, &lossless, "no call is lost");
    let repeatable = one(Kind::Hedged, 6.0, 6.1, Code::Unavailable);
    let lost = "no call that may be repeated is lost";
    check(Promise::Idempotent, &repeatable, lost);

    let mut late = one(Kind::Once, 5.5, 7.5, Code::DeadlineExceeded);
    late.extend([
        (6.6, begun(2, Kind::Once)),
        (6.7, ended(2, Code::Unavailable)),
    ]);
    late[2] = (30.0, left(2, 0));
    let passed = "a silent server is passed by within 1 s";
    check(Promise::Detour, &late, passed);

    let mut twice = one(Kind::Once, 1.0, 1.2, Code::Ok);
    twice.extend([(1.1, executed(1)), (1.15, executed(1))]);
    check(any, &twice, "what may not be repeated is carried out once");
    let mut many = one(Kind::Call, 1.0, 1.2, Code::Ok);
    many[2] = (30.0, left(2, 0));
    check(any, &many, "there are at most 1.2 for each call");
    many[2] = (30.0, left(1, 3));
    check(any, &many, "a closed channel leaves nothing behind");
    many.truncate(2);
    check(any, &many, "a closed channel leaves nothing behind");
    let remains = Event::Remains {
        server: 0,
        handlers: 1,
    };
    many.extend([(30.0, left(1, 0)), (30.0, remains)]);
    check(any, &many, "no handler outlives its call");
}

#[test]
fn nobody_is_found_only_where_nobody_is() {
    let empty = "nothing picks from an empty set";
    // Server 1 is within reach all the time.
    let events = [
        (5.9, begun(1, Kind::Once)),
        (6.0, nobody(1)),
        (30.0, left(1, 0)),
    ];
    assert_eq!(broken(&script(Promise::Recovery), &events), [empty]);
    // It dies, and comes back too late to be there already.
    let mut down = script(Promise::Recovery);
    down.at(secs(5.0), Step::Server(1, Order::Kill));
    assert_eq!(broken(&down, &events), [""; 0]);
    down.at(secs(5.1), Step::Server(1, Order::Start));
    assert_eq!(broken(&down, &events), [""; 0]);
    let later = [
        (10.2, begun(1, Kind::Once)),
        (10.3, nobody(1)),
        (30.0, left(1, 0)),
    ];
    assert_eq!(broken(&down, &later), [empty]);
}

#[test]
fn a_storm_of_requests_is_seen_in_its_window() {
    let mut events = vec![(30.0, left(200, 0))];
    for id in 0..200_u32 {
        let at = 0.1 * f64::from(id);
        events.push((at, begun(id.into(), Kind::Call)));
        events.push((at + 0.01, executed(id.into())));
        events.push((at + 0.02, ended(id.into(), Code::Ok)));
    }
    let script = script(Promise::Recovery);
    assert_eq!(broken(&script, &events), [""; 0]);
    // Within the sum over all, and not where they are.
    events.extend((0..60).map(|id| (5.0, executed(id))));
    let broken = broken(&script, &events);
    assert_eq!(broken, ["there are at most 1.2 for each call"]);
}
