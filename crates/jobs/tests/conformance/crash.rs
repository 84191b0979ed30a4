//! Processes that are killed, frozen and crash.
//!
//! The child is this test binary, started again with one test selected; it reports on its standard output.

use std::env;
use std::io::{self, BufRead, BufReader, Lines, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use scribemed_jobs::{
    BoxError, Done, Failure, Handler, Job, Lease, LeaseError, NewJob, State, Store, SystemClock,
    Worker,
};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::{QUEUE, apply, database, enqueue, within};

const MODE: &str = "SCRIBEMED_JOBS_TEST_MODE";
const DATABASE: &str = "SCRIBEMED_JOBS_TEST_DATABASE";

/// How the child's handler behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// Does its jobs.
    Work,
    /// Takes the whole process down.
    Crash,
    /// Says that it has started, and goes on only when its lease is lost.
    Linger,
}

impl Mode {
    fn of_this_process() -> Option<Self> {
        let name = env::var(MODE).ok()?;
        [Self::Work, Self::Crash, Self::Linger]
            .into_iter()
            .find(|mode| format!("{mode:?}") == name)
    }
}

struct Behaviour {
    mode: Mode,
    finished: Arc<Notify>,
}

impl Handler for Behaviour {
    async fn run(&self, lease: Lease) -> Result<Done, Failure> {
        match self.mode {
            Mode::Work => {}
            Mode::Crash => std::process::abort(),
            Mode::Linger => {
                say("started");
                lease.cancelled().cancelled().await;
            }
        }
        let done = apply(&lease).await;
        say(match &done {
            Ok(_) => "done",
            Err(LeaseError::Lost) => "lost",
            Err(_) => "failed",
        });
        self.finished.notify_one();
        Ok(done?)
    }

    async fn dead(
        &self,
        conn: &mut SqliteConnection,
        job: &Job,
        reason: &str,
    ) -> Result<(), BoxError> {
        sqlx::query("INSERT INTO graves (job, reason) VALUES (?, ?)")
            .bind(job.id.to_string())
            .bind(reason)
            .execute(conn)
            .await?;
        Ok(())
    }
}

fn say(line: &str) {
    // The parent may have gone on without reading.
    let _ = writeln!(io::stdout().lock(), "{line}");
}

async fn unfinished(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE state IN ('ready', 'leased')")
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child process of the tests below"]
async fn child() {
    let (Some(mode), Some(path)) = (Mode::of_this_process(), env::var_os(DATABASE)) else {
        return;
    };
    let pool = database(Path::new(&path)).await;
    let store = Store::new(pool.clone(), SystemClock);
    let finished = Arc::new(Notify::new());
    let handler = Behaviour {
        mode,
        finished: Arc::clone(&finished),
    };
    let worker = Worker::new(store.clone(), QUEUE, handler);
    let shutdown = CancellationToken::new();
    match mode {
        Mode::Work => {
            let worker = worker
                .concurrency(NonZeroUsize::new(4).unwrap())
                .lease(Duration::from_millis(500))
                .poll(Duration::from_millis(20));
            let running = tokio::spawn(worker.run(shutdown.clone()));
            within(async {
                while unfinished(&pool).await > 0 {
                    finished.notified().await;
                }
            })
            .await;
            shutdown.cancel();
            within(running).await.unwrap();
        }
        Mode::Crash => {
            store.expire_leases(QUEUE).await.unwrap();
            while worker.run_once().await.unwrap().is_some() {}
        }
        Mode::Linger => {
            // Long enough to be frozen well before the first heartbeat, which might hold the write lock.
            let worker = worker.lease(Duration::from_millis(1_500));
            let running = tokio::spawn(worker.run(shutdown.clone()));
            within(finished.notified()).await;
            shutdown.cancel();
            within(running).await.unwrap();
        }
    }
    say("drained");
}

/// A running child; killed when dropped.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(mode: Mode, path: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored", "--nocapture"])
            .env(MODE, format!("{mode:?}"))
            .env(DATABASE, path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads until the child has said the line so often.
    fn wait_for(&mut self, expected: &str, mut times: usize) {
        while times > 0 {
            let line = self.lines.next().expect("the child is gone").unwrap();
            // The test harness of the child writes its own text before the first line.
            if line.ends_with(expected) {
                times -= 1;
            }
        }
    }

    fn signal(&self, signal: &str) {
        let command = format!("kill -{signal} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &command]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL; a child that has ended already is only collected.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn count(pool: &SqlitePool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn a_thousand_jobs_survive_kill_9_and_are_each_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let pool = database(&path).await;
    let store = Store::new(pool.clone(), SystemClock);
    let mut tx = store.begin().await.unwrap();
    for number in 0..1_000 {
        let job = NewJob::new(QUEUE, number.to_string());
        store.enqueue(&mut tx, job).await.unwrap();
    }
    tx.commit().await.unwrap();

    for _ in 0..3 {
        let mut process = Process::start(Mode::Work, &path);
        process.wait_for("done", 200);
        drop(process);
        assert!(unfinished(&pool).await > 0, "it was killed half-way");
    }
    Process::start(Mode::Work, &path).wait_for("drained", 1);

    let done = count(&pool, "SELECT COUNT(*) FROM jobs WHERE state = 'done'").await;
    let effects = count(&pool, "SELECT COUNT(*) FROM effects").await;
    let different = count(&pool, "SELECT COUNT(DISTINCT job) FROM effects").await;
    assert_eq!((done, effects, different), (1_000, 1_000, 1_000));
    assert_eq!(count(&pool, "SELECT COUNT(*) FROM graves").await, 0);
}

#[tokio::test]
async fn a_job_that_crashes_its_process_ends_dead_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let pool = database(&path).await;
    let store = Store::new(pool.clone(), SystemClock);
    let poison = NewJob::new(QUEUE, "{}").max_attempts(NonZeroU32::new(3).unwrap());
    let id = enqueue(&store, poison).await;

    for attempt in 1..=3 {
        let status = Process::start(Mode::Crash, &path).child.wait().unwrap();
        assert!(!status.success());
        let job = store.get(id).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts), (State::Leased, attempt));
    }
    Process::start(Mode::Crash, &path).wait_for("drained", 1);

    let job = store.get(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts), (State::Dead, 3));
    let reason = job.last_error.unwrap();
    assert_eq!(
        reason,
        "attempt 3 of 3 ended without an outcome: the worker crashed, was killed or stopped responding"
    );
    let grave: (String, String) = sqlx::query_as("SELECT job, reason FROM graves")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(grave, (id.to_string(), reason));
}

#[tokio::test]
async fn a_frozen_process_loses_its_job_and_cannot_finish_it_when_it_thaws() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs.db");
    let pool = database(&path).await;
    let store = Store::new(pool.clone(), SystemClock);
    let id = enqueue(&store, NewJob::new(QUEUE, "{}")).await;

    let mut frozen = Process::start(Mode::Linger, &path);
    frozen.wait_for("started", 1);
    frozen.signal("STOP");

    let finished = Arc::new(Notify::new());
    let handler = Behaviour {
        mode: Mode::Work,
        finished: Arc::clone(&finished),
    };
    let shutdown = CancellationToken::new();
    let rescuer = Worker::new(store.clone(), QUEUE, handler).poll(Duration::from_millis(20));
    let running = tokio::spawn(rescuer.run(shutdown.clone()));
    within(finished.notified()).await;
    shutdown.cancel();
    within(running).await.unwrap();

    frozen.signal("CONT");
    frozen.wait_for("lost", 1);
    let effects: Vec<String> = sqlx::query_scalar("SELECT what FROM effects")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(effects, ["attempt 2"]);
    let job = store.get(id).await.unwrap().unwrap();
    assert_eq!((job.state, job.attempts), (State::Done, 2));
}
