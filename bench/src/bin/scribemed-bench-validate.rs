//! What checking a small valid message costs: `{"nanoseconds": …, "allocations": …}` on standard output.
//!
//! A program of its own because whatever counts allocations takes the allocator's place in the whole program.

#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "generated code; its documentation is that of the contract"
)]
mod v1 {
    tonic::include_proto!("bench.v1");
}

use std::hint::black_box;

use anyhow::{Result, ensure};
use scribemed_rpc::Validate as _;
use serde_json::json;
use tokio::time::Instant;

use v1::Visit;
use v1::visit::{Patient, Place};

/// How many are checked at once: less than a millisecond, so that most rounds are not interrupted.
const CALLS: u32 = 10_000;
/// How often; the fastest counts, because whatever disturbs a loop that does nothing else makes it slower.
const ROUNDS: u32 = 200;

fn main() -> Result<()> {
    let visit = Visit {
        visit_id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
        reason: "a cough that does not go away".to_owned(),
        place: Place::Clinic.into(),
        patient: Some(Patient {
            patient_id: "0198c0de-0000-7000-8000-00000000abcd".to_owned(),
            age: 41,
        }),
    };
    ensure!(visit.validate().is_ok(), "the message keeps its rules");
    let counted = allocation_counter::measure(|| {
        black_box(black_box(&visit).validate().is_ok());
    });
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..CALLS {
            black_box(black_box(&visit).validate().is_ok());
        }
        fastest = fastest.min(begun.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    let told = json!({"nanoseconds": fastest, "allocations": counted.count_total});
    #[allow(clippy::print_stdout, reason = "this is what the program is for")]
    {
        println!("{told}");
    }
    Ok(())
}
