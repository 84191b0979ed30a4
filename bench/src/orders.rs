//! The side of a server or driver on which orders come in: see [`order`](crate::order).

use std::io::{BufRead as _, Write as _};

use anyhow::{Context as _, Result};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::order::Order;

/// The runtime of a server or driver: the one that services have, with so many threads. What is measured runs in tasks;
/// the main thread waits.
pub(crate) fn runtime(threads: usize) -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("starting the runtime")
}

/// Answers.
pub(crate) fn say(answer: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()?;
    Ok(())
}

/// The orders, until standard input ends. Read by a thread of its own: the runtime is left to what is measured.
pub(crate) fn receive() -> mpsc::UnboundedReceiver<Result<Order>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let order = line.map_err(anyhow::Error::from).and_then(|line| {
                serde_json::from_str(&line).with_context(|| format!("{line} is no order"))
            });
            if sender.send(order).is_err() {
                return;
            }
        }
    });
    receiver
}
