//! The auth service as a process of its own; [`scribemed_auth_service::Config`] lists its variables.

use std::process::ExitCode;

use scribemed_auth_service::{AuthService, Config, Error};
use scribemed_service::{Env, ServerSettings, Settings};

fn main() -> ExitCode {
    scribemed_service::main_with("auth", prepare, |platform, auth: AuthService, listener| {
        auth.run(platform, listener)
    })
}

async fn prepare(env: &Env) -> Result<(Settings, AuthService), Error> {
    let servers = ServerSettings::from_env(env)?;
    let auth = AuthService::open(Config::from_env(env)?).await?;
    Ok((auth.settings().with_servers(servers), auth))
}
