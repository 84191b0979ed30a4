//! Auth: tokens for services.

use anyhow::Context as _;
use scribemed_auth_service::{AuthService, Config};
use scribemed_proto::auth::v1::AUTH_SERVICE_POLICY;
use scribemed_service::{EndUserSettings, Env, Platform};

use super::{Opened, Opening, Service};
use crate::operator;

pub(crate) const SERVICE: Service = Service {
    name: "auth",
    port: 50051,
    calls: None,
    operator: &["rotate:keys"],
    contracts: &[&AUTH_SERVICE_POLICY],
    open: |opening| Box::pin(open(opening)),
};

async fn open(opening: Opening) -> anyhow::Result<Opened> {
    let config = Config {
        data: opening.data.of(SERVICE.name),
        grants: opening.data.grants_file(),
        issuer: operator::issuer(),
        end_users: EndUserSettings::from_env(&Env::from_process())?,
    };
    let auth = AuthService::open(config).await.context(SERVICE.name)?;
    // It verifies its callers with its own keys, and calls nobody.
    let mut settings = auth.settings();
    settings.clients = opening.clients()?;
    settings.servers = opening.servers()?;
    let platform = Platform::new(settings, opening.shutdown.clone());
    let run = auth.run(platform.clone(), opening.listener);
    Ok(Opened {
        platform,
        run: Box::pin(async { Ok(run.await?) }),
        lacks: None,
    })
}
