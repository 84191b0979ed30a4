//! `buf-config`.

use std::process::ExitCode;

use scribemed_contract::check::buf;

use super::check::Judged;
use super::{Outcome, write};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    judged: Judged,
}

impl Args {
    pub(super) fn run(&self) -> Outcome {
        let (old, new) = (self.judged.read_old()?, self.judged.read_new()?);
        let config = buf::config(&old, &new, &self.judged.today(), &self.judged.allowed()?);
        write(None, &(config.compact() + "\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
