//! What is going on, on standard error.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use scribemed_rpc::RequestId;

/// A bar on a terminal; a line for each step elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new(request_id: RequestId) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if terminal {
            ProgressBar::new(1000)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg:<14} [{bar:32}] {percent:>3} %  {elapsed}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        if terminal {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        eprintln!("request id {request_id}");
        Self { bar, terminal }
    }

    /// Begins a step.
    pub(crate) fn step(&self, name: &'static str) {
        if self.terminal {
            self.bar.set_position(0);
            self.bar.set_message(name);
        } else {
            eprintln!("{name} ...");
        }
    }

    /// How far the step is: 0 to 1.
    pub(crate) fn at(&self, share: f64) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the share is between 0 and 1"
        )]
        self.bar
            .set_position((share.clamp(0.0, 1.0) * 1000.0) as u64);
    }

    /// The bar itself, for work on another task.
    pub(crate) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Says something beside the bar.
    pub(crate) fn say(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
