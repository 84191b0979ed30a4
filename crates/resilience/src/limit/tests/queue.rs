//! A server with so many processors and one queue before them, and callers who do not wait for each other: pure arithmetic.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// What is asked of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// What a call takes of a processor, on average; from half to one and a half of it.
    pub(super) served: Duration,
    /// How long it then waits for something else.
    pub(super) waits: Duration,
    pub(super) per_second: f64,
    /// Calls that come at once.
    pub(super) burst: u32,
    /// All four classes: a tenth, four tenths, a quarter, a quarter, the most important first.
    pub(super) mixed: bool,
}

impl Load {
    pub(super) fn even(served: Duration, per_second: f64) -> Self {
        Self {
            served,
            waits: Duration::ZERO,
            per_second,
            burst: 1,
            mixed: false,
        }
    }

    pub(super) fn mixed(served: Duration, per_second: f64) -> Self {
        Self {
            mixed: true,
            burst: 20,
            ..Self::even(served, per_second)
        }
    }
}

/// What became of the calls, by class from the least important on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    good: [u32; 4],
    late: [u32; 4],
    shed: [u32; 4],
}

impl Tally {
    pub(super) fn good(&self) -> u32 {
        self.good.iter().sum()
    }

    pub(super) fn late(&self) -> u32 {
        self.late.iter().sum()
    }

    pub(super) fn shed(&self) -> u32 {
        self.shed.iter().sum()
    }

    pub(super) fn share(&self, class: Class) -> f64 {
        let of = |counts: &[u32; 4]| f64::from(counts[class as usize]);
        of(&self.good) / (of(&self.good) + of(&self.late) + of(&self.shed))
    }
}

struct Job {
    class: Class,
    arrived: Tick,
    begun: Tick,
    takes: Duration,
    waits: Duration,
    permit: Permit,
}

/// What is next of a job that was begun.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// Its processor is free.
    Computed,
    /// It is answered.
    Done,
}

pub(super) struct Server {
    limit: Limit,
    baseline: Baseline,
    deadline: Duration,
    idle: u32,
    queue: VecDeque<Job>,
    /// Those that were begun, by number.
    jobs: BTreeMap<u64, Job>,
    begun: u64,
    events: BinaryHeap<Reverse<(Tick, Next, u64)>>,
    now: Tick,
    random: StdRng,
}

impl Server {
    pub(super) fn new(limit: Limit, cores: u32, deadline: Duration) -> Self {
        Self {
            limit,
            baseline: Baseline::new(),
            deadline,
            idle: cores,
            queue: VecDeque::new(),
            jobs: BTreeMap::new(),
            begun: 0,
            events: BinaryHeap::new(),
            now: Tick::ZERO,
            random: StdRng::seed_from_u64(7),
        }
    }

    pub(super) fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Goes on for `time` under this load.
    pub(super) fn run(&mut self, load: Load, time: Duration) -> Tally {
        let mut tally = Tally::default();
        let end = self.now.after(time);
        let mut next = self.now;
        while next < end {
            self.until(next, &mut tally);
            for _ in 0..load.burst {
                self.arrive(load, &mut tally);
            }
            let gap = f64::from(load.burst) / load.per_second;
            // From 0 to twice the gap.
            let gap = gap * 2.0 * self.random.random::<f64>();
            next = next.after(Duration::from_secs_f64(gap));
        }
        self.until(end, &mut tally);
        tally
    }

    fn arrive(&mut self, load: Load, tally: &mut Tally) {
        let class = match self.random.random_range(0..20) {
            _ if !load.mixed => Class::Critical,
            0 | 1 => Class::CriticalPlus,
            2..10 => Class::Critical,
            10..15 => Class::SheddablePlus,
            _ => Class::Sheddable,
        };
        match self.limit.try_acquire(class, self.now) {
            Err(_shed) => tally.shed[class as usize] += 1,
            Ok(permit) => self.queue.push_back(Job {
                class,
                arrived: self.now,
                begun: self.now,
                takes: load.served.mul_f64(0.5 + self.random.random::<f64>()),
                waits: load.waits,
                permit,
            }),
        }
        self.begin(tally);
    }

    fn begin(&mut self, tally: &mut Tally) {
        while self.idle > 0
            && let Some(mut job) = self.queue.pop_front()
        {
            let waited = self.now.since(job.arrived);
            if waited >= self.deadline {
                tally.late[job.class as usize] += 1;
                let sample = Sample::Failed {
                    baseline: &self.baseline,
                    waited,
                    served: Duration::ZERO,
                };
                self.limit.release(job.permit, sample, self.now);
                continue;
            }
            self.idle -= 1;
            job.begun = self.now;
            let computed = self.now.after(job.takes);
            self.events
                .push(Reverse((computed, Next::Computed, self.begun)));
            self.jobs.insert(self.begun, job);
            self.begun += 1;
        }
    }

    fn until(&mut self, end: Tick, tally: &mut Tally) {
        while let Some(Reverse((at, next, number))) = self.events.peek().copied()
            && at <= end
        {
            self.events.pop();
            self.now = at;
            match next {
                Next::Computed => {
                    self.idle += 1;
                    let done = at.after(self.jobs[&number].waits);
                    self.events.push(Reverse((done, Next::Done, number)));
                    self.begin(tally);
                }
                Next::Done => {
                    let job = self.jobs.remove(&number).unwrap();
                    self.done(job, tally);
                }
            }
        }
        self.now = end;
    }

    fn done(&mut self, job: Job, tally: &mut Tally) {
        let sample = Sample::Served {
            baseline: &self.baseline,
            waited: job.begun.since(job.arrived),
            served: self.now.since(job.begun),
        };
        self.limit.release(job.permit, sample, self.now);
        let counts = if self.now.since(job.arrived) <= self.deadline {
            &mut tally.good
        } else {
            &mut tally.late
        };
        counts[job.class as usize] += 1;
    }
}
