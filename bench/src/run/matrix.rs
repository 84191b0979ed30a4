//! Each kind of call, size and number in flight: our pair against the bare pair.

use anyhow::Result;
use serde::Serialize;

use super::compare::uri;
use super::measure::{self, Case, Effort, Sample, Spread};
use crate::fleet::Fleet;
use crate::order::{Call, Load};
use crate::stack::Stack;

const PAYLOADS: [usize; 3] = [64, 4 * 1024, 1024 * 1024];
const IN_FLIGHT: [usize; 3] = [1, 32, 256];
const STREAMS: [Call; 3] = [Call::Download, Call::Upload, Call::Chat];

/// One field of the table.
#[derive(Debug, Serialize)]
pub(super) struct Field {
    pub(super) load: Load,
    pub(super) client_cpu: Spread,
    pub(super) server_cpu: Spread,
    pub(super) throughput: Spread,
    pub(super) p99: Spread,
    pub(super) bare: Vec<Sample>,
    pub(super) ours: Vec<Sample>,
}

/// Measures all of them; when `quick`, streams with 32 in flight only.
pub(super) fn run(fleet: &Fleet, effort: Effort, quick: bool) -> Result<Vec<Field>> {
    let pair = |stack| {
        let server = fleet.server(stack)?;
        let driver = fleet.driver(stack, &uri(&server.address), &[])?;
        anyhow::Ok((server.peer.shared(), driver.shared()))
    };
    let (bare, ours) = (pair(Stack::Bare)?, pair(Stack::Ours)?);
    let mut fields = Vec::new();
    for load in loads(quick) {
        eprintln!("  {}", describe(&load));
        let case = |name: &str, (server, driver): &(_, _)| Case {
            name: format!("{name}, {}", describe(&load)),
            server: std::rc::Rc::clone(server),
            driver: std::rc::Rc::clone(driver),
            load,
        };
        let samples = measure::rounds(&[case("bare", &bare), case("ours", &ours)], effort)?;
        let [bare, ours] = samples.as_slice() else {
            anyhow::bail!("there are as many samples as cases");
        };
        fields.push(Field {
            load,
            client_cpu: Spread::ratio(ours, bare, |sample| sample.client_ns),
            server_cpu: Spread::ratio(ours, bare, |sample| sample.server_ns),
            throughput: Spread::ratio(ours, bare, |sample| sample.rate),
            p99: Spread::ratio(ours, bare, |sample| sample.p99_us),
            bare: bare.clone(),
            ours: ours.clone(),
        });
    }
    Ok(fields)
}

fn loads(quick: bool) -> Vec<Load> {
    let mut loads = Vec::new();
    for call in std::iter::once(Call::Unary).chain(STREAMS) {
        for payload in PAYLOADS {
            for in_flight in IN_FLIGHT {
                let streams = call != Call::Unary;
                if streams && quick && in_flight != 32 {
                    continue;
                }
                let messages = match (streams, payload) {
                    (false, _) => 1,
                    // So that a round with many in flight ends within seconds.
                    (true, 1_048_576) => 4,
                    (true, _) => 16,
                };
                loads.push(Load {
                    call,
                    payload,
                    messages,
                    in_flight,
                    millis: 0,
                });
            }
        }
    }
    loads
}

/// `upload 4 KiB x 16, 32 in flight`.
pub(super) fn describe(load: &Load) -> String {
    let call = match load.call {
        Call::Unary => "unary",
        Call::UnaryOnce => "unary once",
        Call::UnaryHedged => "unary hedged",
        Call::UnaryPublic => "unary public",
        Call::UnaryUnchecked => "unary unchecked",
        Call::Download => "download",
        Call::Upload => "upload",
        Call::Chat => "chat",
    };
    let size = match load.payload {
        mib if mib % (1024 * 1024) == 0 => format!("{} MiB", mib / 1024 / 1024),
        kib if kib % 1024 == 0 => format!("{} KiB", kib / 1024),
        bytes => format!("{bytes} B"),
    };
    let times = if load.messages == 1 {
        String::new()
    } else {
        format!(" x {}", load.messages)
    };
    format!("{call} {size}{times}, {} in flight", load.in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_size_and_number_is_there() {
        let full = loads(false);
        assert_eq!(full.len(), 4 * 3 * 3);
        assert_eq!(loads(true).len(), 3 * 3 + 3 * 3);
        let last = full.last().map(describe);
        assert_eq!(last.as_deref(), Some("chat 1 MiB x 4, 256 in flight"));
        assert_eq!(describe(&full[0]), "unary 64 B, 1 in flight");
    }
}
