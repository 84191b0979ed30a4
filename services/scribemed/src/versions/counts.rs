//! What replicas counted, added up.

use std::collections::BTreeMap;

const CALLS: &str = "scribemed_server_deprecated_total";
const LAST: &str = "scribemed_server_deprecated_last_timestamp_seconds";
const START: &str = "process_start_time_seconds";

/// What is known of the callers of methods that go away.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// By method, then by caller.
    calls: BTreeMap<String, BTreeMap<String, Calls>>,
    /// Each replica that was asked, and since when it counts, in seconds since 1970, if it says so.
    replicas: Vec<(String, Option<i64>)>,
}

/// What one caller did, at all replicas.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Calls {
    pub(super) count: f64,
    /// In seconds since 1970.
    pub(super) last: f64,
}

impl Counts {
    /// Adds what one replica counted, in Prometheus's text format.
    pub(super) fn add(&mut self, replica: &str, text: &str) {
        let mut since = None;
        for (name, labels, value) in text.lines().filter_map(sample) {
            if name == START {
                since = whole(value);
                continue;
            }
            let (Some(method), Some(caller)) =
                (label(labels, "grpc_method"), label(labels, "caller"))
            else {
                continue;
            };
            let callers = self.calls.entry(method.to_owned()).or_default();
            let calls = callers.entry(caller.to_owned()).or_default();
            match name {
                CALLS => calls.count += value,
                LAST => calls.last = calls.last.max(value),
                _ => {}
            }
        }
        self.replicas.push((replica.to_owned(), since));
    }

    /// The callers of a method, those that called last first.
    pub(super) fn callers(&self, method: &str) -> Vec<(&str, Calls)> {
        let mut callers: Vec<_> = self
            .calls
            .get(method)
            .into_iter()
            .flatten()
            .map(|(caller, calls)| (caller.as_str(), *calls))
            .collect();
        callers.sort_by(|one, other| other.1.last.total_cmp(&one.1.last));
        callers
    }

    /// Each replica that was asked, and since when it counts.
    pub(super) fn replicas(&self) -> &[(String, Option<i64>)] {
        &self.replicas
    }
}

/// Seconds, which are whole where they are ours.
pub(super) fn whole(seconds: f64) -> Option<i64> {
    // Printing is the one conversion that neither cuts off nor saturates.
    format!("{seconds:.0}").parse().ok()
}

/// The name, the labels and the value of a line. Comments and what is of another form are `None`.
fn sample(line: &str) -> Option<(&str, &str, f64)> {
    if line.starts_with('#') {
        return None;
    }
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    Some((name, labels.trim_end_matches('}'), value.parse().ok()?))
}

/// The value of a label. Names of methods and services have nothing in them that is escaped.
fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|label| {
        let value = label.strip_prefix(name)?.strip_prefix("=\"")?;
        value.strip_suffix('"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_add_up_and_the_last_call_is_the_last_of_all() {
        let mut counts = Counts::default();
        for (replica, calls, last) in [("a", 3, 1_700_000_000), ("b", 4, 1_600_000_000)] {
            counts.add(
                replica,
                &format!(
                    "# HELP {CALLS} Calls.\n{CALLS}{{caller=\"emr\",grpc_method=\"a.v1.A/Get\"}} {calls}\n\
                     {LAST}{{caller=\"emr\",grpc_method=\"a.v1.A/Get\"}} {last}\nbroken\nother{{x=\"y\"}} 1\n\
                     {CALLS}{{caller=\"old\",grpc_method=\"a.v1.A/Get\"}} 1\n{START} 1500000000\n"
                ),
            );
        }
        let emr = Calls {
            count: 7.0,
            last: 1.7e9,
        };
        let old = Calls {
            count: 2.0,
            last: 0.0,
        };
        assert_eq!(counts.callers("a.v1.A/Get"), [("emr", emr), ("old", old)]);
        assert!(counts.callers("a.v1.A/Put").is_empty());
        let since = Some(1_500_000_000);
        let asked = [("a".to_owned(), since), ("b".to_owned(), since)];
        assert_eq!(counts.replicas(), asked);
    }
}
