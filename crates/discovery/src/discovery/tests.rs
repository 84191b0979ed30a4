#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::*;
use crate::{BoxFuture, Resolution};

/// Answers by a script; the last step again and again.
struct Script {
    steps: Mutex<VecDeque<Step>>,
    asked: mpsc::UnboundedSender<Instant>,
}

#[derive(Clone)]
enum Step {
    Answer(Result<Resolution, ResolveError>),
    /// The same, after a while.
    Slow(Duration, Vec<Address>),
    Hang,
}

impl Resolve for Script {
    fn resolve<'a>(&'a self, _: &'a Target) -> BoxFuture<'a, Result<Resolution, ResolveError>> {
        let _ = self.asked.send(Instant::now());
        let mut steps = self.steps.lock().unwrap();
        let step = match steps.len() {
            1 => steps[0].clone(),
            _ => steps.pop_front().unwrap(),
        };
        Box::pin(async move {
            match step {
                Step::Answer(answer) => answer,
                Step::Slow(time, addresses) => {
                    sleep(time).await;
                    Ok(Resolution {
                        addresses,
                        ttl: Some(SECOND * 300),
                    })
                }
                Step::Hang => std::future::pending().await,
            }
        })
    }
}

const SECOND: Duration = Duration::from_secs(1);

struct World {
    discovery: Discovery,
    asked: mpsc::UnboundedReceiver<Instant>,
}

impl World {
    fn new(config: Config, steps: impl Into<VecDeque<Step>>) -> Self {
        Self::of("dns:///auth:1", config, steps)
    }

    fn of(target: &str, config: Config, steps: impl Into<VecDeque<Step>>) -> Self {
        let (asked, receiver) = mpsc::unbounded_channel();
        let script = Script {
            steps: Mutex::new(steps.into()),
            asked,
        };
        Self {
            discovery: Discovery::start(target.parse().unwrap(), Arc::new(script), config),
            asked: receiver,
        }
    }

    /// When the next look-up begins. The clock jumps there.
    async fn next(&mut self) -> Instant {
        self.asked.recv().await.unwrap()
    }

    /// The times between this many look-ups.
    async fn gaps(&mut self, count: usize) -> Vec<Duration> {
        let mut last = self.next().await;
        let mut gaps = Vec::new();
        for _ in 0..count {
            let next = self.next().await;
            gaps.push(next - last);
            last = next;
        }
        gaps
    }

    fn texts(&self) -> Vec<String> {
        self.discovery
            .view()
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

/// Waits for the next change, and fails when there is none: the clock jumps, so the look-ups in between are no hour.
async fn changed(views: &mut watch::Receiver<View>) {
    timeout(SECOND * 3_600, views.changed())
        .await
        .unwrap()
        .unwrap();
}

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts
        .iter()
        .map(|text| Address::Socket(text.parse().unwrap()))
        .collect()
}

fn good(texts: &[&str], ttl: u64) -> Step {
    Step::Answer(Ok(Resolution {
        addresses: addresses(texts),
        ttl: Some(Duration::from_secs(ttl)),
    }))
}

fn bad(error: ResolveError) -> Step {
    Step::Answer(Err(error))
}

#[track_caller]
fn within(gaps: &[Duration], least: f64, most: f64) {
    for gap in gaps {
        assert!(
            (least..=most).contains(&gap.as_secs_f64()),
            "{gap:?} is not within {least} to {most} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn asks_at_once_and_again_when_the_records_have_expired() {
    let start = Instant::now();
    let mut world = World::new(Config::default(), [good(&["10.0.0.1:1"], 5)]);
    let mut views = world.discovery.subscribe();
    assert!(world.discovery.view().addresses.is_empty());
    changed(&mut views).await;
    assert_eq!(start, Instant::now());
    assert_eq!(world.texts(), ["10.0.0.1:1"]);
    assert_eq!(world.discovery.view().resolved_at, Some(start));
    let gaps = world.gaps(100).await;
    within(&gaps, 5.0, 6.001);
    // The whole range is used.
    let (min, max) = (gaps.iter().min().unwrap(), gaps.iter().max().unwrap());
    assert!(
        *min < SECOND * 51 / 10 && *max > SECOND * 59 / 10,
        "{min:?} {max:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn long_times_are_cut_to_the_interval_and_short_ones_raised_to_the_floor() {
    let mut world = World::new(Config::default(), [good(&["10.0.0.1:1"], 300)]);
    within(&world.gaps(50).await, 24.0, 30.001);
    let mut world = World::new(Config::default(), [good(&["10.0.0.1:1"], 0)]);
    within(&world.gaps(50).await, 1.0, 1.001);
}

#[tokio::test(start_paused = true)]
async fn one_seed_gives_one_history() {
    let gaps = async |seed| {
        let config = Config {
            seed,
            ..Config::default()
        };
        World::new(config, [good(&["10.0.0.1:1"], 5)])
            .gaps(20)
            .await
    };
    assert_eq!(gaps(1).await, gaps(1).await);
    assert_ne!(gaps(1).await, gaps(2).await);
}

#[tokio::test(start_paused = true)]
async fn refresh_asks_at_once_but_not_below_the_floor_and_once_for_many() {
    let mut world = World::new(Config::default(), [good(&["10.0.0.1:1"], 300)]);
    let first = world.next().await;
    sleep(SECOND * 10).await;
    world.discovery.refresh();
    let second = world.next().await;
    within(&[second - first], 10.0, 10.002);
    // Before the floor, and again while that one waits.
    for _ in 0..3 {
        sleep(SECOND / 10).await;
        (0..10).for_each(|_| world.discovery.refresh());
    }
    let third = world.next().await;
    within(&[third - second], 1.0, 1.002);
    let fourth = world.next().await;
    within(&[fourth - third], 24.0, 30.002);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_during_a_look_up_asks_again() {
    let slow = Step::Slow(SECOND * 2, addresses(&["10.0.0.1:1"]));
    let mut world = World::new(Config::default(), [slow]);
    let first = world.next().await;
    sleep(SECOND).await;
    world.discovery.refresh();
    // What answers may have looked before the connection was lost.
    let second = world.next().await;
    within(&[second - first], 3.0, 3.002);
}

#[tokio::test(start_paused = true)]
async fn nothing_takes_the_last_good_set_away() {
    let nothing = good(&[], 5);
    for (failure, expect, not_found, timeout) in [
        (
            bad(ResolveError::not_found("auth")),
            "NXDOMAIN",
            true,
            false,
        ),
        (
            bad(ResolveError::empty("auth")),
            "answer is empty",
            true,
            false,
        ),
        (nothing, "answer is empty", true, false),
        (
            bad(ResolveError::failed("auth", "SERVFAIL")),
            "SERVFAIL",
            false,
            false,
        ),
        (Step::Hang, "no answer within 5s", false, true),
    ] {
        let mut world = World::new(
            Config::default(),
            [
                good(&["10.0.0.1:1", "10.0.0.2:1"], 5),
                failure,
                good(&["10.0.0.3:1"], 5),
            ],
        );
        let mut views = world.discovery.subscribe();
        changed(&mut views).await;
        let good_at = views.borrow_and_update().resolved_at;
        changed(&mut views).await;
        let view = views.borrow_and_update().clone();
        assert_eq!(world.texts(), ["10.0.0.1:1", "10.0.0.2:1"], "{expect}");
        assert_eq!(view.resolved_at, good_at);
        let error = view.error.unwrap();
        assert!(error.to_string().contains(expect), "{error}");
        assert_eq!(
            (error.is_not_found(), error.is_timeout()),
            (not_found, timeout),
            "{error}"
        );
        changed(&mut views).await;
        assert_eq!(world.texts(), ["10.0.0.3:1"], "{expect}");
        assert!(world.discovery.view().error.is_none());
        assert!(world.discovery.view().resolved_at > good_at);
        world.next().await;
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_repeated_with_backoff_that_starts_anew_after_a_success() {
    let fail = || bad(ResolveError::failed("auth", "SERVFAIL"));
    let mut steps: VecDeque<_> = std::iter::repeat_with(fail).take(11).collect();
    steps.extend([good(&["10.0.0.1:1"], 5), fail()]);
    let mut world = World::new(Config::default(), steps);
    let gaps = world.gaps(13).await;
    let mut expect = 1.0;
    for gap in &gaps[..11] {
        within(
            &[*gap],
            f64::max(1.0, expect * 0.8) - 0.001,
            f64::min(30.0, expect * 1.2) + 0.002,
        );
        expect = f64::min(expect * 1.6, 30.0);
    }
    within(&gaps[10..11], 24.0, 30.002);
    within(&gaps[11..12], 5.0, 6.001);
    within(&gaps[12..], 1.0, 1.202);
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_woken_by_changes_only() {
    let fail = || bad(ResolveError::failed("auth", "SERVFAIL"));
    let mut world = World::new(
        Config::default(),
        [
            good(&["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"], 5),
            good(&["10.0.0.2:1", "10.0.0.1:1", "[::1]:1", "10.0.0.1:1"], 5),
            fail(),
            fail(),
            good(&["[::1]:1", "10.0.0.1:1", "10.0.0.2:1"], 5),
        ],
    );
    let mut views = world.discovery.subscribe();
    let mut woken = Vec::new();
    for _ in 0..5 {
        world.next().await;
        // The answer is there at once: let the task take it.
        sleep(Duration::from_millis(1)).await;
        woken.push(views.has_changed().unwrap());
        views.mark_unchanged();
        assert_eq!(world.texts(), ["[::1]:1", "10.0.0.1:1", "10.0.0.2:1"]);
    }
    assert_eq!(woken, [true, false, true, false, true]);
    let good_at = world.discovery.view().resolved_at;
    world.next().await;
    sleep(Duration::from_millis(1)).await;
    assert!(!views.has_changed().unwrap());
    assert!(world.discovery.view().resolved_at > good_at);
}

#[tokio::test(start_paused = true)]
async fn an_order_with_a_meaning_stays() {
    let world = World::of(
        "srv:///auth",
        Config::default(),
        [good(&["10.0.0.2:1", "10.0.0.1:1", "10.0.0.2:1"], 5)],
    );
    changed(&mut world.discovery.subscribe()).await;
    assert_eq!(world.texts(), ["10.0.0.2:1", "10.0.0.1:1"]);
}

#[test]
fn what_is_known_needs_no_runtime_and_is_never_looked_up() {
    for (target, expect) in [
        (
            "static:///10.0.0.2:1,10.0.0.1:1",
            &["10.0.0.2:1", "10.0.0.1:1"][..],
        ),
        ("http://10.0.0.2:1", &["10.0.0.2:1"]),
        ("unix:///run/auth.sock", &["unix:/run/auth.sock"]),
    ] {
        let mut world = World::of(target, Config::default(), [Step::Hang]);
        world.discovery.refresh();
        assert_eq!(world.texts(), expect);
        let view = world.discovery.view();
        assert!(view.error.is_none() && view.resolved_at.is_some());
        assert!(
            world.discovery.subscribe().has_changed().is_ok(),
            "still connected"
        );
        assert!(world.asked.try_recv().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_changes_is_asked_for_once() {
    let answer = Resolution {
        addresses: addresses(&["10.0.0.1:1"]),
        ttl: None,
    };
    let mut world = World::new(Config::default(), [Step::Answer(Ok(answer))]);
    world.next().await;
    sleep(SECOND * 3_600).await;
    world.discovery.refresh();
    // The resolver is given back.
    assert_eq!(world.asked.recv().await, None);
    assert_eq!(world.texts(), ["10.0.0.1:1"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_it_ends_the_task_and_leaves_the_last_view() {
    let mut world = World::new(Config::default(), [good(&["10.0.0.1:1"], 5)]);
    let mut views = world.discovery.subscribe();
    changed(&mut views).await;
    world.next().await;
    drop(world.discovery);
    assert_eq!(timeout(SECOND, world.asked.recv()).await, Ok(None));
    assert_eq!(views.borrow().addresses.len(), 1);
    assert!(views.changed().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn of_many_a_subset_is_used() {
    let all: Vec<_> = (0..100)
        .map(|i| Address::Socket(([10, 0, 0, i], 1).into()))
        .collect();
    let config = Config {
        seed: 7,
        ..Config::default()
    };
    let answer = Resolution {
        addresses: all.clone(),
        ttl: Some(SECOND),
    };
    let world = World::new(config, [Step::Answer(Ok(answer.clone()))]);
    changed(&mut world.discovery.subscribe()).await;
    assert_eq!(*world.discovery.view().addresses, *subset(&all, 7, 32));
    let world = World::new(
        Config {
            subset: None,
            ..config
        },
        [Step::Answer(Ok(answer))],
    );
    changed(&mut world.discovery.subscribe()).await;
    assert_eq!(*world.discovery.view().addresses, *all);
}

#[tokio::test(start_paused = true)]
async fn a_part_is_better_than_nothing_and_worse_than_a_good_set() {
    let part =
        |texts: &[&str]| bad(ResolveError::failed("b", "SERVFAIL").with_partial(addresses(texts)));
    let world = World::new(
        Config::default(),
        [
            part(&["10.0.0.1:1"]),
            good(&["10.0.0.1:1", "10.0.0.2:1"], 5),
            part(&["10.0.0.2:1"]),
        ],
    );
    let mut views = world.discovery.subscribe();
    for (expect, error) in [
        (&["10.0.0.1:1"][..], true),
        (&["10.0.0.1:1", "10.0.0.2:1"], false),
        (&["10.0.0.1:1", "10.0.0.2:1"], true),
    ] {
        changed(&mut views).await;
        assert_eq!(world.texts(), expect);
        assert_eq!(views.borrow_and_update().error.is_some(), error);
    }
}

#[tokio::test(start_paused = true)]
async fn values_out_of_range_are_brought_into_it() {
    let config = Config {
        interval: Duration::ZERO,
        floor: Duration::ZERO,
        jitter: f64::NAN,
        timeout: Duration::ZERO,
        ..Config::default()
    };
    // Not kept: its task would wake all the time while the clock jumps below.
    let gaps = World::new(config, [good(&["10.0.0.1:1"], 0)])
        .gaps(10)
        .await;
    within(&gaps, 0.01, 0.012);
    let config = Config {
        interval: Duration::MAX,
        floor: Duration::MAX,
        jitter: f64::INFINITY,
        timeout: Duration::MAX,
        ..Config::default()
    };
    let answer = Resolution {
        addresses: addresses(&["10.0.0.1:1"]),
        ttl: Some(Duration::MAX),
    };
    let mut world = World::new(config, [Step::Answer(Ok(answer))]);
    within(&world.gaps(10).await, 86_400.0, 86_400.002);
    let mut world = World::new(config, [bad(ResolveError::not_found("auth"))]);
    within(&world.gaps(10).await, 86_400.0, 86_400.002);
}
