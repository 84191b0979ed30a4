//! The documentation service as a process of its own.
//!
//! Beside what every service is configured with, `SCRIBEMED_DATA` names the folder for its database, and
//! `TRANSCRIPTION_SERVICE_URL` the transcription service.

use std::process::ExitCode;

use scribemed_documentation::{Config, run};

fn main() -> ExitCode {
    scribemed_service::main("documentation", |platform, env, listener| async move {
        run(Config::from_env(&env)?, platform, listener).await
    })
}
