//! The transcription service as a process of its own.

use std::process::ExitCode;

use scribemed_transcription::{Config, run};

fn main() -> ExitCode {
    scribemed_service::main("transcription", |platform, env, listener| async move {
        run(Config::from_env(&env)?, platform, listener)
            .await
            .map_err(anyhow::Error::from)
    })
}
