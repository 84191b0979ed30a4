//! What came of it: a table for people, JSON for programs.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

use super::flood::{CLASSES, Seen};

/// One load on one server.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) server: &'static str,
    /// What was offered, in times of the peak.
    pub(super) times: u32,
    /// Calls a second that the server does when it is asked for no more than it can.
    pub(super) peak: f64,
    /// Calls a second that ended well within their deadline, against the peak.
    pub(super) goodput: f64,
    /// The same for each second of the server's CPU time: what others do on the machine changes it little.
    pub(super) goodput_per_cpu: f64,
    /// The share that ended well, by class from the most important on.
    pub(super) good: [f64; 4],
    /// The share that was refused, was late, and failed otherwise.
    pub(super) refused: f64,
    pub(super) late: f64,
    pub(super) other: f64,
    /// How long the good ones took, in milliseconds.
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Row {
    #[allow(clippy::cast_precision_loss, reason = "counts of seconds")]
    pub(super) fn new(
        server: &'static str,
        times: u32,
        peak: f64,
        seen: &Seen,
        goodput_per_cpu: f64,
    ) -> Self {
        let offered = seen.offered.iter().sum::<u64>().max(1) as f64;
        let mut good = [0.0; 4];
        for (share, (good, offered)) in good.iter_mut().zip(seen.good.iter().zip(seen.offered)) {
            *share = *good as f64 / offered.max(1) as f64;
        }
        let millis = |quantile| seen.latency.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            server,
            times,
            peak,
            goodput: seen.good_per_second() / peak,
            goodput_per_cpu,
            good,
            refused: seen.refused as f64 / offered,
            late: seen.late as f64 / offered,
            other: seen.other as f64 / offered,
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
        }
    }
}

/// Of the rounds of each server and load, the one with the median goodput.
pub(super) fn medians(rows: Vec<Row>) -> Vec<Row> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let same = |group: &&mut Vec<Row>| {
            group
                .first()
                .is_some_and(|first| (first.server, first.times) == (row.server, row.times))
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
        .into_iter()
        .filter_map(|mut group| {
            group.sort_by(|one, other| one.goodput.total_cmp(&other.goodput));
            let middle = group.len() / 2;
            group.into_iter().nth(middle)
        })
        .collect()
}

/// A server that was not measured.
#[derive(Debug, Serialize)]
pub(super) struct NotRun {
    pub(super) what: &'static str,
    pub(super) why: String,
    pub(super) how_to_get: &'static str,
}

/// Everything.
pub(super) struct Report {
    pinned: bool,
    pub(super) rows: Vec<Row>,
    pub(super) not_run: Vec<NotRun>,
}

impl Report {
    pub(super) fn new(pinned: bool) -> Self {
        Self {
            pinned,
            rows: Vec::new(),
            not_run: Vec::new(),
        }
    }

    /// Writes it to standard output.
    pub(super) fn print(&self, as_json: bool) -> Result<()> {
        let mut out = std::io::stdout().lock();
        if as_json {
            serde_json::to_writer_pretty(&mut out, &self.json())?;
            writeln!(out)?;
        } else {
            write!(out, "{}", self.table()?)?;
        }
        Ok(())
    }

    fn json(&self) -> serde_json::Value {
        let ours = self
            .rows
            .iter()
            .find(|row| row.server == "ours" && row.times == 3);
        json!({
            "overload_goodput": ours.map(|row| row.goodput),
            "overload_goodput_per_cpu": ours.map(|row| row.goodput_per_cpu),
            "overload_critical_plus": ours.map(|row| row.good[0]),
            "pinned": self.pinned,
            "classes": CLASSES,
            "rows": self.rows,
            "not_run": self.not_run,
        })
    }

    fn table(&self) -> Result<String> {
        let mut text = String::new();
        writeln!(
            text,
            "| server | offered | goodput / peak | per CPU s / peak | CRITICAL_PLUS | CRITICAL | SHEDDABLE_PLUS | SHEDDABLE | \
             refused | late | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
        )?;
        for row in &self.rows {
            let percent = |share: f64| format!("{:.0} %", share * 100.0);
            let classes = row.good.map(percent).join(" | ");
            writeln!(
                text,
                "| {}, peak {:.0}/s | {}x | {:.2} | {:.2} | {classes} | {} | {} | {:.0} | {:.0} |",
                row.server,
                row.peak,
                row.times,
                row.goodput,
                row.goodput_per_cpu,
                percent(row.refused),
                percent(row.late + row.other),
                row.p50_ms,
                row.p99_ms,
            )?;
        }
        if !self.pinned {
            writeln!(
                text,
                "\nServer and callers shared the one processor there is."
            )?;
        }
        for missing in &self.not_run {
            writeln!(
                text,
                "\n**not run**: {}: {}; {}",
                missing.what, missing.why, missing.how_to_get
            )?;
        }
        Ok(text)
    }
}
