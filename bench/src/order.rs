//! What the measuring process asks of a server or a driver, and what they answer: one JSON object a line, orders on
//! standard input, answers on standard output. The peer in Go speaks the same.

use serde::{Deserialize, Serialize};

/// A method of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Call {
    /// One message each way, everything on.
    Unary,
    /// As `Unary`, without retries.
    UnaryOnce,
    /// As `Unary`, hedged.
    UnaryHedged,
    /// As `Unary`, without a token.
    UnaryPublic,
    /// As `Unary`, without validation rules.
    UnaryUnchecked,
    /// A stream of responses.
    Download,
    /// A stream of requests.
    Upload,
    /// Request, response, request, response on one stream.
    Chat,
}

/// What to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub(crate) enum Order {
    /// To a driver: keep so many calls in flight. Answered with [`Loaded`].
    Load(Load),
    /// To a driver: start so many calls a second, whatever became of those before. Answered with [`Paced`].
    Pace(Pace),
    /// To a server: tell what was done and used so far. Answered with [`Used`].
    Usage,
}

/// A closed loop.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Load {
    /// The method.
    pub(crate) call: Call,
    /// The size of the payload in each message, in bytes.
    pub(crate) payload: usize,
    /// Messages in a streamed call; 1 for the others.
    pub(crate) messages: u32,
    /// Calls in flight.
    pub(crate) in_flight: usize,
    /// No call is started after that long, in milliseconds.
    pub(crate) millis: u64,
}

/// What came of a [`Load`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Loaded {
    /// Calls that ended.
    pub(crate) calls: u64,
    /// Those of them that failed.
    pub(crate) failed: u64,
    /// What the first failure said.
    pub(crate) first_failure: Option<String>,
    /// CPU time of the whole process, in nanoseconds.
    pub(crate) cpu_ns: u64,
    /// From the first call's start to the last one's end, in nanoseconds.
    pub(crate) elapsed_ns: u64,
    /// The median time of a call, in nanoseconds.
    pub(crate) p50_ns: u64,
    /// The 99th percentile, in nanoseconds.
    pub(crate) p99_ns: u64,
}

/// An open loop of unary calls.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Pace {
    /// Calls a second.
    pub(crate) per_second: u32,
    /// How long calls are started, in milliseconds.
    pub(crate) millis: u64,
    /// The time that a call is given, in milliseconds.
    pub(crate) timeout_millis: u64,
    /// A call that takes longer, in milliseconds, suffers.
    pub(crate) slow_millis: u64,
    /// What takes long and ended before is not counted, in milliseconds from the start.
    pub(crate) watched_from_millis: u64,
}

/// What came of a [`Pace`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Paced {
    /// Calls that ended.
    pub(crate) calls: u64,
    /// Those of them that failed.
    pub(crate) failed: u64,
    /// What the first failure said.
    pub(crate) first_failure: Option<String>,
    /// Those that took long.
    pub(crate) slow: u64,
    /// The longest call, in milliseconds.
    pub(crate) longest_ms: f64,
    /// Each call that failed or took long, in the order of their starts: when it was started and when it ended, in
    /// milliseconds.
    pub(crate) suffering: Vec<(f64, f64)>,
}

/// What a server did and used so far.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Used {
    /// Calls that a handler ended.
    pub(crate) calls: u64,
    /// CPU time of the whole process, in nanoseconds.
    pub(crate) cpu_ns: u64,
}

/// The first line of a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Serving {
    /// Where it listens.
    pub(crate) address: String,
}
