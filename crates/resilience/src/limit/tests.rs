#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod queue;

use self::queue::{Load, Server, Tally};
use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Tick {
    Tick::ZERO.after(ms(millis))
}

fn limit(min: u32, max: u32) -> Limit {
    let config = Config {
        min,
        max,
        ..Config::default()
    };
    Limit::new(config, at(0))
}

/// Ends so many calls, each of which was `waited` for and took `served`, at `now`.
fn end(
    limit: &Limit,
    baseline: &Baseline,
    calls: u32,
    waited: Duration,
    served: Duration,
    now: Tick,
) {
    let permits: Vec<_> = (0..calls)
        .map(|_| limit.try_acquire(Class::CriticalPlus, now).unwrap())
        .collect();
    for permit in permits {
        let sample = Sample::Served {
            baseline,
            waited,
            served,
        };
        limit.release(permit, sample, now);
    }
}

#[test]
fn each_class_fills_its_share() {
    let check = |class, expect| {
        let limit = limit(20, 20);
        let mut permits = Vec::new();
        while let Ok(permit) = limit.try_acquire(class, at(0)) {
            permits.push(permit);
        }
        assert_eq!(permits.len(), expect, "{class:?}");
        assert_eq!(limit.in_flight() as usize, expect);
        let shed = limit.admit(class, at(0)).unwrap_err();
        assert_eq!(
            (shed.in_flight, shed.limit),
            (limit.in_flight(), limit.in_flight())
        );
        assert_eq!(limit.admit(Class::CriticalPlus, at(0)).is_ok(), expect < 30);
        for permit in permits {
            limit.release(permit, Sample::Ignored, at(0));
        }
        assert_eq!(limit.in_flight(), 0);
        assert!(limit.try_acquire(class, at(0)).is_ok());
    };
    check(Class::Sheddable, 10);
    check(Class::SheddablePlus, 15);
    check(Class::Critical, 20);
    check(Class::CriticalPlus, 30);
}

#[test]
fn a_share_is_rounded_up_so_that_the_lowest_class_can_make_the_limit_grow() {
    let limit = limit(21, 21);
    let taken = (0..100)
        .take_while(|_| limit.try_acquire(Class::Sheddable, at(0)).is_ok())
        .count();
    assert_eq!(taken, 11);
}

#[test]
fn is_cut_from_what_was_in_flight_and_by_half_at_most() {
    let (limit, baseline) = (limit(20, 1_000), Baseline::new());
    end(&limit, &baseline, 100, ms(0), ms(1), at(50));
    assert_eq!(limit.limit(), 1_000, "the window is not over");
    // 151 ms against 51.5.
    end(&limit, &baseline, 100, ms(150), ms(1), at(100));
    // The first that ended closed the window of the 100 good ones.
    assert_eq!(limit.limit(), 1_000);
    end(&limit, &baseline, 1, ms(150), ms(1), at(200));
    assert_eq!(limit.pressure(), Pressure::Waiting);
    assert_eq!(limit.limit(), 60, "half of 100, and 10 to grow");
}

#[test]
fn few_in_flight_are_no_reason_to_cut() {
    let (limit, baseline) = (limit(20, 1_000), Baseline::new());
    end(&limit, &baseline, 20, ms(0), ms(1), at(0));
    for window in 1..20 {
        end(&limit, &baseline, 20, ms(500), ms(1), at(window * 100));
    }
    assert_eq!(limit.limit(), 1_000);
}

#[test]
fn what_is_slow_in_the_handler_is_told_from_a_queue() {
    let (limit, baseline) = (limit(20, 1_000), Baseline::new());
    end(&limit, &baseline, 100, ms(0), ms(10), at(50));
    end(&limit, &baseline, 100, ms(0), ms(200), at(100));
    end(&limit, &baseline, 1, ms(0), ms(200), at(200));
    assert_eq!(limit.pressure(), Pressure::Serving);
}

#[test]
fn one_in_ten_that_is_held_up_is_outvoted() {
    let (limit, baseline) = (limit(20, 1_000), Baseline::new());
    for window in 0..50 {
        end(&limit, &baseline, 90, ms(0), ms(1), at(window * 100));
        end(&limit, &baseline, 10, ms(0), ms(60_000), at(window * 100));
    }
    assert_eq!((limit.limit(), limit.pressure()), (1_000, Pressure::None));
}

#[test]
fn a_failed_call_counts_and_teaches_nothing() {
    let (limit, baseline) = (limit(20, 1_000), Baseline::new());
    end(&limit, &baseline, 100, ms(0), ms(1), at(50));
    let before = baseline.mean();
    for now in [100, 200] {
        let permits: Vec<_> = (0..100)
            .map(|_| limit.try_acquire(Class::Critical, at(now)).unwrap())
            .collect();
        for permit in permits {
            let sample = Sample::Failed {
                baseline: &baseline,
                waited: ms(300),
                served: ms(0),
            };
            limit.release(permit, sample, at(now));
        }
    }
    assert_eq!(baseline.mean(), before);
    assert_eq!(limit.limit(), 60);
}

/// Cuts the limit to `min`.
fn cut(limit: &Limit, baseline: &Baseline) -> u64 {
    end(limit, baseline, 30, ms(0), ms(1), at(0));
    let mut now = 0;
    while limit.limit() > 20 {
        now += 100;
        assert!(now < 5_000, "{}", limit.limit());
        end(limit, baseline, 30, ms(150), ms(1), at(now));
    }
    now
}

#[test]
fn grows_within_seconds_where_it_is_used_and_not_otherwise() {
    let (limit, baseline) = (limit(20, 200), Baseline::new());
    let begun = cut(&limit, &baseline);
    let mut now = begun;
    for _ in 0..100 {
        now += 100;
        end(&limit, &baseline, 9, ms(0), ms(1), at(now));
    }
    assert_eq!(limit.limit(), 20, "less than half was used");
    let idle = now;
    while limit.limit() < 200 {
        now += 100;
        let used = limit.limit() * 3 / 4;
        end(&limit, &baseline, used, ms(0), ms(1), at(now));
    }
    assert!(now - idle < 3_000, "{} ms", now - idle);
}

#[test]
fn what_refused_nobody_for_a_minute_is_forgotten() {
    let (limit, baseline) = (limit(20, 1_000), Baseline::new());
    let begun = cut(&limit, &baseline);
    // Filled to the last place, so somebody is refused.
    let permits: Vec<_> =
        std::iter::from_fn(|| limit.try_acquire(Class::Critical, at(begun)).ok()).collect();
    assert_eq!(permits.len(), 20);
    for permit in permits {
        limit.release(permit, Sample::Ignored, at(begun));
    }
    end(&limit, &baseline, 9, ms(0), ms(1), at(begun + 59_000));
    end(&limit, &baseline, 9, ms(0), ms(1), at(begun + 59_500));
    assert_eq!(limit.limit(), 20);
    end(&limit, &baseline, 9, ms(0), ms(1), at(begun + 60_000));
    end(&limit, &baseline, 9, ms(0), ms(1), at(begun + 60_500));
    assert_eq!(limit.limit(), 1_000);
}

#[test]
fn what_is_out_of_range_is_brought_into_it() {
    let config = Config {
        min: 0,
        max: 0,
        tolerance: f64::NAN,
        slack: Duration::ZERO,
    };
    let limit = Limit::new(config, at(0));
    assert_eq!(limit.limit(), 1);
    let baseline = Baseline::new();
    for now in 0..100 {
        end(&limit, &baseline, 1, ms(0), ms(0), at(now * 100));
    }
    assert_eq!(limit.limit(), 1);
}

/// A second of the overload that the limit has found its level in.
fn settled(server: &mut Server, load: Load) -> Tally {
    server.run(load, ms(3_000));
    server.run(load, ms(5_000))
}

const DEADLINE: Duration = ms(300);

#[test]
fn goodput_holds_under_three_times_the_load() {
    let tally = |served: Duration, cores: u32, times: f64| {
        let mut server = Server::new(Limit::new(Config::default(), at(0)), cores, DEADLINE);
        let capacity = f64::from(cores) / served.as_secs_f64();
        // It was well before, and knows how long a call takes.
        server.run(Load::even(served, capacity * 0.5), ms(2_000));
        let tally = settled(&mut server, Load::even(served, capacity * times));
        (tally, capacity * 5.0)
    };
    for (served, cores) in [
        (ms(1), 1),
        (ms(1), 8),
        (Duration::from_micros(200), 2),
        (ms(10), 2),
        (ms(50), 2),
    ] {
        for times in [0.8_f64, 1.0, 1.5, 3.0, 10.0] {
            let (tally, capacity) = tally(served, cores, times);
            let share = f64::from(tally.good()) / capacity;
            assert!(
                share >= times.min(1.0) * 0.95,
                "{served:?} on {cores} at {times}: {share} {tally:?}"
            );
        }
    }
}

#[test]
fn the_most_important_is_unharmed_and_the_least_goes_first() {
    let mut server = Server::new(Limit::new(Config::default(), at(0)), 1, DEADLINE);
    server.run(Load::even(ms(1), 500.0), ms(2_000));
    let tally = settled(&mut server, Load::mixed(ms(1), 3_000.0));
    let share = |class| tally.share(class);
    assert!(share(Class::CriticalPlus) > 0.99, "{tally:?}");
    assert!(
        share(Class::Critical) > share(Class::SheddablePlus),
        "{tally:?}"
    );
    assert!(
        share(Class::SheddablePlus) >= share(Class::Sheddable),
        "{tally:?}"
    );
}

#[test]
fn what_is_well_is_not_limited() {
    // 600 calls that wait for something else, and a burst of 300 every 100 ms that the processor can do.
    let mut server = Server::new(Limit::new(Config::default(), at(0)), 1, DEADLINE);
    let waiting = Load {
        waits: ms(200),
        ..Load::even(Duration::from_micros(10), 3_000.0)
    };
    let tally = server.run(waiting, ms(10_000));
    assert_eq!((tally.shed(), tally.late()), (0, 0), "{tally:?}");
    let bursts = Load {
        burst: 300,
        ..Load::even(Duration::from_micros(20), 3_000.0)
    };
    let tally = server.run(bursts, ms(10_000));
    assert_eq!((tally.shed(), tally.late()), (0, 0), "{tally:?}");
}

#[test]
fn is_well_again_within_seconds() {
    let mut server = Server::new(Limit::new(Config::default(), at(0)), 1, DEADLINE);
    settled(&mut server, Load::mixed(ms(1), 3_000.0));
    server.run(Load::mixed(ms(1), 500.0), ms(1_000));
    let tally = server.run(Load::mixed(ms(1), 500.0), ms(5_000));
    for class in [Class::CriticalPlus, Class::Critical, Class::SheddablePlus] {
        assert!(tally.share(class) >= 1.0, "{class:?} {tally:?}");
    }
    assert!(tally.share(Class::Sheddable) > 0.98, "{tally:?}");
}

#[test]
fn overload_is_not_learned() {
    let mut server = Server::new(Limit::new(Config::default(), at(0)), 1, DEADLINE);
    server.run(Load::even(ms(1), 500.0), ms(2_000));
    server.run(Load::even(ms(1), 3_000.0), ms(20_000));
    assert!(server.limit().limit() < 80, "{}", server.limit().limit());
}
