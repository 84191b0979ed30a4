//! For people, and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::Fading;
use super::counts::{Counts, whole};

const MINUTE: &[FormatItem<'static>] =
    format_description!("[year]-[month]-[day] [hour]:[minute] UTC");

/// Each method with its callers, then who was asked.
pub(super) fn text(fading: &[Fading], counts: &Counts, now: OffsetDateTime) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    for method in fading {
        let lifecycle = method.lifecycle;
        let left = match method.days_left(now) {
            0 => "less than a day left".to_owned(),
            1 => "1 day left".to_owned(),
            days @ 2.. => format!("{days} days left"),
            _ => "past".to_owned(),
        };
        let _ = writeln!(
            out,
            "{}\n  deprecated on {}, sunset on {}: {left}; use {}",
            method.method, lifecycle.deprecated_on, lifecycle.sunset_on, lifecycle.successor
        );
        let callers = counts.callers(method.method);
        if callers.is_empty() {
            let _ = writeln!(out, "  nobody called it");
        }
        for (caller, calls) in callers {
            let caller = if caller == "-" { "(unknown)" } else { caller };
            let last = moment(whole(calls.last)).map_or_else(String::new, |last| {
                format!(", last on {}", last.format(MINUTE).unwrap_or_default())
            });
            let _ = writeln!(out, "  {caller:<20} {:>8} calls{last}", calls.count);
        }
        out.push('\n');
    }
    if fading.is_empty() {
        out.push_str("No method goes away.\n\n");
    }
    for (replica, since) in counts.replicas() {
        let since = moment(*since)
            .and_then(|since| since.format(MINUTE).ok())
            .unwrap_or_else(|| "an unknown time".to_owned());
        let _ = writeln!(out, "counted by {replica} since {since}");
    }
    out
}

/// The same, as one object.
pub(super) fn json(
    fading: &[Fading],
    counts: &Counts,
    silent: &[(String, String)],
    now: OffsetDateTime,
) -> Value {
    let time = |seconds| moment(seconds).and_then(|time| time.format(&Rfc3339).ok());
    let methods: Vec<Value> = fading
        .iter()
        .map(|method| {
            let callers: Vec<Value> = counts
                .callers(method.method)
                .into_iter()
                .map(|(caller, calls)| {
                    json!({"caller": caller, "calls": calls.count, "last": time(whole(calls.last))})
                })
                .collect();
            json!({
                "method": method.method,
                "deprecated_on": method.lifecycle.deprecated_on,
                "sunset_on": method.lifecycle.sunset_on,
                "days_left": method.days_left(now),
                "successor": method.lifecycle.successor,
                "callers": callers,
            })
        })
        .collect();
    let replicas: Vec<Value> = counts
        .replicas()
        .iter()
        .map(|(url, since)| json!({"url": url, "since": time(*since)}))
        .collect();
    let silent: Vec<Value> = silent
        .iter()
        .map(|(url, error)| json!({"url": url, "error": error}))
        .collect();
    json!({"methods": methods, "replicas": replicas, "not_asked": silent})
}

fn moment(seconds: Option<i64>) -> Option<OffsetDateTime> {
    let seconds = seconds.filter(|seconds| *seconds > 0)?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}
