//! The service as its callers see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scribemed_auth::verifier::{self, CacheConfig};
use scribemed_auth::{
    CachedKeys, KeySet, ManualClock, Permission, Secret, SigningKey, Verifier, assertion,
};
use scribemed_auth_service::{AuthService, Client, Config, Error, Grants};
use scribemed_client::Channel;
use scribemed_discovery::ServiceRegistry;
use scribemed_proto::auth::v1 as proto;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_service::{AuthServiceKeys, DEFAULT_ISSUER, EndUserSettings, Platform};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

pub(crate) const ISSUER: &str = DEFAULT_ISSUER;

/// A client and its key.
pub(crate) struct Identity {
    pub(crate) name: &'static str,
    pub(crate) key: SigningKey,
}

impl Identity {
    fn new(name: &'static str) -> Self {
        let key = SigningKey::generate().unwrap();
        Self { name, key }
    }
}

/// A running service with two clients: `documentation` may read and write transcriptions, `operator` may rotate keys.
pub(crate) struct Rig {
    pub(crate) folder: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) documentation: Identity,
    pub(crate) operator: Identity,
    running: Running,
}

struct Running {
    registry: ServiceRegistry,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    /// With an issuer of end users.
    pub(crate) async fn start_with(end_users: Option<EndUserSettings>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Callers of RotateKeys are verified by the machine's clock, so this one begins there.
        let clock = ManualClock::new(SystemTime::now());
        let documentation = Identity::new("documentation");
        let operator = Identity::new("operator");
        grant(
            &folder,
            &[
                (
                    &documentation,
                    &["read:transcriptions", "write:transcriptions"],
                ),
                (&operator, &["rotate:keys"]),
            ],
        );
        let running = serve(&folder, &clock, end_users).await;
        Self {
            folder,
            clock,
            documentation,
            operator,
            running,
        }
    }

    /// Ends the process, as far as a test can, and starts another one on the same data.
    pub(crate) async fn restart(&mut self) {
        self.running.shutdown.cancel();
        (&mut self.running.task).await.unwrap().unwrap();
        self.running = serve(&self.folder, &self.clock, None).await;
    }

    /// Where the service is.
    pub(crate) fn registry(&self) -> ServiceRegistry {
        self.running.registry.clone()
    }

    pub(crate) fn channel(&self) -> Channel {
        let target = self.running.registry.target("auth").unwrap();
        Channel::new(&target, &[&proto::AUTH_SERVICE_POLICY], None).unwrap()
    }

    pub(crate) fn client(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel())
    }

    pub(crate) fn assertion(&self, identity: &Identity) -> Secret {
        let now = scribemed_auth::Clock::now(&self.clock);
        assertion::sign(&identity.key, identity.name, ISSUER, now).unwrap()
    }

    /// Sends this assertion.
    pub(crate) async fn exchange_raw(
        &self,
        assertion: &str,
        audience: &str,
        permissions: &[&str],
    ) -> Result<proto::ExchangeTokenResponse, Status> {
        let request = proto::ExchangeTokenRequest {
            client_assertion_type: assertion::CLIENT_ASSERTION_TYPE.to_owned(),
            client_assertion: assertion.to_owned(),
            audience: audience.to_owned(),
            permissions: permissions.iter().map(|&name| name.to_owned()).collect(),
            ..Default::default()
        };
        let response = self.client().exchange_token(request).await?;
        Ok(response.into_inner())
    }

    /// Asks for a token with which `identity` acts for an end user.
    pub(crate) async fn exchange_for(
        &self,
        identity: &Identity,
        audience: &str,
        subject_token: &str,
        subject_token_type: &str,
    ) -> Result<proto::ExchangeTokenResponse, Status> {
        let request = proto::ExchangeTokenRequest {
            client_assertion_type: assertion::CLIENT_ASSERTION_TYPE.to_owned(),
            client_assertion: self.assertion(identity).expose().to_owned(),
            audience: audience.to_owned(),
            subject_token: subject_token.to_owned(),
            subject_token_type: subject_token_type.to_owned(),
            ..Default::default()
        };
        let response = self.client().exchange_token(request).await?;
        Ok(response.into_inner())
    }

    /// A token for `audience` with all permissions of the client.
    pub(crate) async fn token(&self, identity: &Identity, audience: &str) -> String {
        let assertion = self.assertion(identity);
        let response = self.exchange_raw(assertion.expose(), audience, &[]).await;
        response.unwrap().access_token
    }

    /// Verifies as the service `audience` does, by the test's clock.
    pub(crate) fn verifier(&self, audience: &str) -> Verifier {
        let clock = Arc::new(self.clock.clone());
        let source = Arc::new(AuthServiceKeys::new(self.client()));
        let keys = CachedKeys::new(source, CacheConfig::default(), clock.clone());
        Verifier::new(verifier::Config::new(ISSUER, audience), keys, clock)
    }

    /// The ids of the published keys.
    pub(crate) async fn published(&self) -> Vec<String> {
        let response = self.client().get_key_set(proto::GetKeySetRequest {}).await;
        let keys = response.unwrap().into_inner().keys;
        keys.into_iter().map(|key| key.kid).collect()
    }

    pub(crate) async fn rotate(
        &self,
        token: Option<&str>,
        request_id: &str,
    ) -> Result<proto::RotateKeysResponse, Status> {
        let mut request = Request::new(proto::RotateKeysRequest {
            request_id: request_id.to_owned(),
        });
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        Ok(self.client().rotate_keys(request).await?.into_inner())
    }
}

/// Writes the grants file.
pub(crate) fn grant(folder: &TempDir, clients: &[(&Identity, &[&str])]) {
    let clients: BTreeMap<String, Client> = clients
        .iter()
        .map(|(identity, permissions)| {
            let permissions = permissions
                .iter()
                .map(|name| Permission::new(name).unwrap());
            let client = Client {
                keys: KeySet::new([identity.key.public().clone()]).unwrap(),
                permissions: permissions.collect(),
            };
            (identity.name.to_owned(), client)
        })
        .collect();
    Grants::write(&folder.path().join("grants.toml"), &clients).unwrap();
}

async fn serve(
    folder: &TempDir,
    clock: &ManualClock,
    end_users: Option<EndUserSettings>,
) -> Running {
    let config = Config {
        data: folder.path().join("data"),
        grants: folder.path().join("grants.toml"),
        issuer: ISSUER.to_owned(),
        end_users,
    };
    let auth = AuthService::open_with_clock(config, Arc::new(clock.clone()))
        .await
        .unwrap();
    let shutdown = CancellationToken::new();
    let platform = Platform::new(auth.settings(), shutdown.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    Running {
        registry: ServiceRegistry::default().with("auth", url),
        shutdown,
        task: tokio::spawn(auth.run(platform, listener)),
    }
}

/// The reason of an error, with its code, which it must have.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, Status>, code: Code) -> String {
    let status = result.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!(info.domain, "auth.scribemed", "{info:?}");
    info.reason.clone()
}

/// The `kid` of a token.
pub(crate) fn kid(token: &str) -> String {
    let head = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let head: serde_json::Value = serde_json::from_slice(&head).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}
