//! Calling the services as the operator.

use anyhow::Context as _;
use scribemed_discovery::ServiceRegistry;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_service::{
    AuthServiceTokens, Channel, ClientSettings, DEFAULT_ISSUER, Env, Platform, Settings,
};
use tokio_util::sync::CancellationToken;

use crate::data::{Data, OPERATOR};
use crate::services::ALL;

/// The services in their order, with their default ports.
pub(crate) const SERVICES: [(&str, u16); ALL.len()] = {
    let mut services = [("", 0); ALL.len()];
    let mut i = 0;
    while i < ALL.len() {
        services[i] = (ALL[i].name, ALL[i].port);
        i += 1;
    }
    services
};

/// Where the services are: `<NAME>_SERVICE_URL` where it is set, else this machine and the default port.
pub(crate) fn registry() -> ServiceRegistry {
    SERVICES
        .iter()
        .fold(ServiceRegistry::from_env(), |registry, (service, port)| {
            let variable = scribemed_discovery::variable(service);
            if std::env::var_os(&variable).is_some_and(|value| !value.is_empty()) {
                registry
            } else {
                registry.with(service, format!("http://127.0.0.1:{port}"))
            }
        })
}

/// Who issues the tokens.
pub(crate) fn issuer() -> String {
    std::env::var("SCRIBEMED_ISSUER").unwrap_or_else(|_| DEFAULT_ISSUER.to_owned())
}

/// Typed clients with the operator's own tokens.
pub(crate) async fn platform(data: &Data) -> anyhow::Result<Platform> {
    let key = data.operator_key()?;
    let clients = ClientSettings::from_env(&Env::from_process())?;
    let settings =
        Settings::with_auth_service(OPERATOR, registry(), issuer(), key, clients).await?;
    Ok(Platform::new(settings, CancellationToken::new()))
}

/// Tokens of the operator that grant just these permissions; none: all that it has.
pub(crate) async fn tokens(
    data: &Data,
    permissions: Vec<String>,
) -> anyhow::Result<AuthServiceTokens> {
    let client = platform(data)
        .await?
        .client::<AuthServiceClient<Channel>>()
        .await
        .context("the auth service is needed for tokens")?;
    Ok(
        AuthServiceTokens::new(client, data.operator_key()?, OPERATOR, issuer())
            .with_permissions(permissions),
    )
}
