//! What came of it: a table for people, JSON for programs.

use std::io::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::checks::Checked;

use super::compare::{GrpcGo, Headline};
use super::features::Cost;
use super::kill::{Fault, Outcome};
use super::machine::Machine;
use super::matrix::{Field, describe};
use super::measure::{Sample, Spread};

/// Everything that was measured.
pub(super) struct Report {
    machine: Machine,
    pub(super) headline: Option<Headline>,
    pub(super) features: Vec<Cost>,
    /// Endpoints, and nanoseconds for a pick.
    pub(super) picks: Vec<(usize, f64)>,
    /// Nanoseconds for a token that is remembered.
    pub(super) token: Option<f64>,
    /// What the check of a message costs.
    pub(super) checked: Option<Checked>,
    pub(super) grpc_go: Option<GrpcGo>,
    pub(super) kill: Vec<Outcome>,
    pub(super) matrix: Vec<Field>,
    pub(super) not_run: Vec<NotRun>,
    pub(super) failed: Vec<Failed>,
}

/// A part that was not run.
#[derive(Debug, serde::Serialize)]
pub(super) struct NotRun {
    pub(super) what: &'static str,
    pub(super) why: String,
    pub(super) how_to_get: &'static str,
}

/// A part that failed.
#[derive(Debug, serde::Serialize)]
pub(super) struct Failed {
    pub(super) what: String,
    pub(super) why: String,
}

impl Report {
    pub(super) fn new(machine: Machine) -> Self {
        Self {
            machine,
            headline: None,
            features: Vec::new(),
            picks: Vec::new(),
            token: None,
            checked: None,
            grpc_go: None,
            kill: Vec::new(),
            matrix: Vec::new(),
            not_run: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Writes it to standard output.
    pub(super) fn print(&self, as_json: bool) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if as_json {
            serde_json::to_writer_pretty(&mut out, &self.json())?;
            writeln!(out)?;
        } else {
            write!(out, "{}", self.table())?;
        }
        Ok(())
    }

    /// The keys at the top are for programs to compare; everything that they are made of stands below them. A key whose
    /// part was not run is missing.
    fn json(&self) -> Value {
        let mut keys = Map::new();
        let mut put = |key: &str, value: f64| keys.insert(key.to_owned(), json!(value));
        if let Some(headline) = &self.headline {
            put("client_cpu_ratio", headline.client_cpu.median);
            put(
                "client_cpu_same_requests_ratio",
                headline.client_cpu_same_requests.median,
            );
            put(
                "client_cpu_bare_server_ratio",
                headline.client_cpu_bare_server.median,
            );
            put("server_cpu_ratio", headline.server_cpu.median);
            put("throughput_ratio", headline.throughput.median);
            put("p99_ratio", headline.p99.median);
            put("calls_per_core_ratio", headline.calls_per_core.median);
        }
        for (endpoints, nanoseconds) in &self.picks {
            put(&format!("pick_ns_{endpoints}"), *nanoseconds);
        }
        if let Some(nanoseconds) = self.token {
            put("token_ns", nanoseconds);
        }
        if let Some(Checked { nanoseconds, .. }) = self.checked {
            put("validate_ns", nanoseconds);
        }
        if let Some(grpc_go) = &self.grpc_go {
            put(
                "grpc_go_calls_per_core_ratio",
                grpc_go.calls_per_core.median,
            );
        }
        if let Some(Checked { allocations, .. }) = self.checked {
            keys.insert("validate_allocations".to_owned(), json!(allocations));
        }
        for outcome in self.kill.iter().filter(|outcome| outcome.stack == "ours") {
            let (failed, millis) = match outcome.fault {
                Fault::Killed => ("kill_failed", "kill_ms"),
                Fault::Frozen => ("frozen_failed", "frozen_ms"),
                Fault::BlackHole => ("black_hole_failed", "black_hole_ms"),
            };
            keys.insert(failed.to_owned(), json!(outcome.paced.failed));
            keys.insert(millis.to_owned(), json!(outcome.gap_ms()));
        }
        let parts = [
            ("machine", json!(self.machine)),
            ("headline", json!(self.headline)),
            ("features", json!(self.features)),
            ("grpc_go", json!(self.grpc_go)),
            ("kill", json!(self.kill)),
            ("matrix", json!(self.matrix)),
            ("not_run", json!(self.not_run)),
            ("failed", json!(self.failed)),
        ];
        keys.extend(parts.map(|(key, value)| (key.to_owned(), value)));
        Value::Object(keys)
    }

    fn table(&self) -> String {
        let Machine {
            processor,
            cores,
            kernel,
            threads,
        } = &self.machine;
        let mut text = format!(
            "{processor}, {cores} cores, Linux {kernel}; {threads} thread(s) for each server and each client\n\
             64 B, 32 in flight, everything on, unless it is said otherwise; median of the rounds (lowest .. highest)\n"
        );
        if let Some(headline) = &self.headline {
            text += &headline_table(headline);
        }
        if !self.features.is_empty() {
            text += &heading("what each feature costs, in ns of CPU time a call");
            text += &format!("{:44}  {:>24}  {:>24}\n", "", "client", "server");
            for cost in &self.features {
                text += &format!(
                    "{:44}  {:>24}  {:>24}\n",
                    cost.feature,
                    spread(cost.client_ns, 0),
                    spread(cost.server_ns, 0)
                );
            }
        }
        if !self.picks.is_empty() {
            text += &heading("a pick of an endpoint (reach: 50 ns, flat)");
            for (endpoints, nanoseconds) in &self.picks {
                text += &format!("among {endpoints:5} endpoints {nanoseconds:8.1} ns\n");
            }
        }
        if let Some(nanoseconds) = self.token {
            text += &heading("a token that was verified before (reach: 200 ns)");
            text += &format!("from headers to principal {nanoseconds:8.1} ns\n");
        }
        if let Some(checked) = self.checked {
            let Checked {
                nanoseconds,
                allocations,
            } = checked;
            text +=
                &heading("a small valid message against its rules (reach: 60 ns, no allocation)");
            text += &format!("{nanoseconds:8.1} ns, {allocations} allocation(s)\n");
        }
        if let Some(grpc_go) = &self.grpc_go {
            text += &heading(
                "against grpc-go with go-grpc-middleware, calls for each second of CPU time",
            );
            text += &ratio("ours / theirs", grpc_go.calls_per_core, ">= 2");
            text += &ratio(
                "ours / theirs without protovalidate",
                grpc_go.calls_per_core_unvalidated,
                "",
            );
            text += &cases(&grpc_go.cases);
        }
        if !self.kill.is_empty() {
            text += &heading("one of three servers goes away under 500 idempotent calls a second");
            text += &kill_table(&self.kill);
        }
        if !self.matrix.is_empty() {
            text += &heading(
                "kinds of calls: our client and server / bare tonic; CPU time for each message",
            );
            text += &matrix_table(&self.matrix);
        }
        if !self.not_run.is_empty() {
            text += &heading("not run");
            for NotRun {
                what,
                why,
                how_to_get,
            } in &self.not_run
            {
                text += &format!("{what}: {why}\n  how to get it: {how_to_get}\n");
            }
        }
        if !self.failed.is_empty() {
            text += &heading("failed");
            for Failed { what, why } in &self.failed {
                text += &format!("{what}: {why}\n");
            }
        }
        text
    }
}

fn heading(title: &str) -> String {
    format!("\n== {title} ==\n")
}

/// `0.81 (0.79 .. 0.86)`.
fn spread(Spread { median, min, max }: Spread, digits: usize) -> String {
    format!("{median:.digits$} ({min:.digits$} .. {max:.digits$})")
}

fn ratio(what: &str, value: Spread, reach: &str) -> String {
    let reach = if reach.is_empty() {
        String::new()
    } else {
        format!("  reach {reach}")
    };
    format!("{what:60}  {:>22}{reach}\n", spread(value, 2))
}

fn headline_table(headline: &Headline) -> String {
    [
        heading("ours / bare tonic"),
        ratio(
            "client: CPU a call, each to its own stack's server",
            headline.client_cpu,
            "<= 0.80",
        ),
        ratio(
            "client: CPU a call, the same requests to our server",
            headline.client_cpu_same_requests,
            "",
        ),
        ratio(
            "client: CPU a call, both to a bare server",
            headline.client_cpu_bare_server,
            "",
        ),
        ratio(
            "server: CPU a call, both for the same requests",
            headline.server_cpu,
            "<= 1.15",
        ),
        ratio(
            "server: CPU a call, the bare one getting bare requests",
            headline.server_cpu_bare_requests,
            "",
        ),
        ratio(
            "client and server: calls a second",
            headline.throughput,
            ">= 1.20",
        ),
        ratio(
            "client and server: calls for each second of CPU time",
            headline.calls_per_core,
            "",
        ),
        ratio("client and server: p99", headline.p99, ""),
        cases(&headline.cases),
    ]
    .concat()
}

fn cases(cases: &[(String, Vec<Sample>)]) -> String {
    let mut text = format!(
        "\n{:40}  {:>10}  {:>10}  {:>10}  {:>9}  {:>9}\n",
        "", "client us", "server us", "calls/s", "p50 us", "p99 us"
    );
    for (name, samples) in cases {
        let of = |metric| Spread::in_all(samples, metric).median;
        text += &format!(
            "{name:40}  {:10.2}  {:10.2}  {:10.0}  {:9.0}  {:9.0}\n",
            of(|sample| sample.client_ns) / 1e3,
            of(|sample| sample.server_ns) / 1e3,
            of(|sample| sample.rate),
            of(|sample| sample.p50_us),
            of(|sample| sample.p99_us),
        );
    }
    text
}

fn matrix_table(fields: &[Field]) -> String {
    let mut text = format!(
        "{:34}  {:>7}  {:>7}  {:>7}  {:>7}  {:>19}  {:>19}  {:>17}\n",
        "",
        "client",
        "server",
        "through",
        "p99",
        "p50 us bare, ours",
        "p99 us bare, ours",
        "msg/s ours"
    );
    for field in fields {
        let of = |samples: &[Sample], metric| Spread::in_all(samples, metric).median;
        let p50 = |samples| of(samples, |sample| sample.p50_us);
        let p99 = |samples| of(samples, |sample| sample.p99_us);
        text += &format!(
            "{:34}  {:7.2}  {:7.2}  {:7.2}  {:7.2}  {:9.0} {:9.0}  {:9.0} {:9.0}  {:17.0}\n",
            describe(&field.load),
            field.client_cpu.median,
            field.server_cpu.median,
            field.throughput.median,
            field.p99.median,
            p50(&field.bare),
            p50(&field.ours),
            p99(&field.bare),
            p99(&field.ours),
            of(&field.ours, |sample| sample.rate),
        );
    }
    text
}

fn kill_table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:12}  {:12}  {:>7}  {:>7}  {:>8}  {:>10}  {:>13}  {:>12}\n",
        "client",
        "the server",
        "calls",
        "failed",
        "> 100 ms",
        "longest ms",
        "still sent ms",
        "all well ms"
    );
    for outcome in outcomes {
        let fault = match outcome.fault {
            Fault::Killed => "is killed",
            Fault::Frozen => "is frozen",
            Fault::BlackHole => "is cut off",
        };
        text += &format!(
            "{:12}  {fault:12}  {:7}  {:7}  {:8}  {:10.0}  {:13.0}  {:12.0}\n",
            outcome.stack,
            outcome.paced.calls,
            outcome.paced.failed,
            outcome.paced.slow,
            outcome.paced.longest_ms,
            outcome.still_sent_ms,
            outcome.until_well_ms,
        );
        if let Some(failure) = &outcome.paced.first_failure {
            text += &format!("{:12}  the first failure: {failure}\n", "");
        }
    }
    text += "still sent: from the start of the first call that failed or took long to the start of the last one; \
             all well: to the end of the last one\n";
    text
}
