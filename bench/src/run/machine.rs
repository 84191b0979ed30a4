//! What a measurement was made on.

use serde::Serialize;

/// The machine, and how it was used.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) kernel: String,
    /// Threads of each server and each driver.
    pub(super) threads: usize,
}

/// This one. What cannot be read is called unknown: it changes no number.
pub(super) fn read(threads: usize) -> Machine {
    let unknown = || "unknown".to_owned();
    let processor = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .unwrap_or_else(unknown);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| unknown(), |text| text.trim().to_owned());
    Machine {
        processor,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        kernel,
        threads,
    }
}
