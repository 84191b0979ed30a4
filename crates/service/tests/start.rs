//! A client of a service that cannot be found is an error at the start.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::{KeySet, SigningKey};
use scribemed_discovery::ServiceRegistry;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_service::{Channel, ClientSettings, Error, Platform, ServerSettings, Settings};
use tokio_util::sync::CancellationToken;

fn clients() -> ClientSettings {
    ClientSettings::default().with_resolve_within(Duration::from_secs(1))
}

/// What asking for a client of auth at `url` comes to.
async fn client(url: &str) -> Result<(), Error> {
    let key = SigningKey::generate().unwrap();
    let settings = Settings {
        name: "documentation".to_owned(),
        registry: ServiceRegistry::default().with("auth", url),
        issuer: "auth.test".to_owned(),
        tokens: None,
        keys: Arc::new(KeySet::new([key.public().clone()]).unwrap()),
        clients: clients(),
        servers: ServerSettings::default(),
    };
    let platform = Platform::new(settings, CancellationToken::new());
    let client = platform.client::<AuthServiceClient<Channel>>().await;
    client.map(drop)
}

#[tokio::test]
async fn a_name_that_never_resolved_is_shown_beside_a_good_value() {
    // RFC 2606, 2: no name below .invalid exists.
    let url = "dns:///auth.invalid:50051";
    let error = client(url).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unresolved { variable, value, seconds: 1, reason, .. }
            if variable == "AUTH_SERVICE_URL" && value == url && !reason.is_empty()),
        "{error:?}"
    );
    let text = error.to_string();
    for part in [
        "AUTH_SERVICE_URL is \"dns:///auth.invalid:50051\"",
        "could not be resolved within 1 s",
        "a good value is AUTH_SERVICE_URL=dns:///auth:50051",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn so_it_is_with_the_auth_service_of_the_settings() {
    let registry = ServiceRegistry::default().with("auth", "dns:///auth.invalid:50051");
    let key = SigningKey::generate().unwrap();
    let settings =
        Settings::with_auth_service("documentation", registry, "auth.test", key, clients()).await;
    assert!(matches!(settings, Err(Error::Unresolved { .. })));
}

#[tokio::test]
async fn an_address_needs_no_resolver_and_nobody_there() {
    client("http://127.0.0.1:1").await.unwrap();
}
