//! The auth service behind the traits of `scribemed-auth`: where tokens come from, and the keys that verify them.

use std::time::{Duration, SystemTime};

use scribemed_auth::{
    BoxError, BoxFuture, Jwk, KeySet, KeySource, Secret, SigningKey, Token, TokenSource, assertion,
};
use scribemed_client::Channel;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_proto::auth::v1::{ExchangeTokenRequest, GetKeySetRequest};
use scribemed_rpc::SubjectToken;

/// The key set of the auth service, fetched with `GetKeySet`.
#[derive(Debug, Clone)]
pub struct AuthServiceKeys {
    client: AuthServiceClient<Channel>,
}

impl AuthServiceKeys {
    /// Fetches through `client`.
    pub fn new(client: AuthServiceClient<Channel>) -> Self {
        Self { client }
    }
}

impl KeySource for AuthServiceKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        let mut client = self.client.clone();
        Box::pin(async move {
            let response = client.get_key_set(GetKeySetRequest {}).await?.into_inner();
            let keys = response
                .keys
                .iter()
                .map(|key| Jwk::from_parts(key.kid.clone(), &key.x));
            let max_age = response
                .max_age
                .and_then(|age| Duration::try_from(age).ok());
            let keys = KeySet::new(keys.collect::<Result<Vec<_>, _>>()?)?;
            Ok(keys.with_max_age(max_age))
        })
    }
}

/// Tokens of the auth service, got with `ExchangeToken` for assertions that are signed with the service's own key.
#[derive(Debug, Clone)]
pub struct AuthServiceTokens {
    client: AuthServiceClient<Channel>,
    key: SigningKey,
    name: String,
    issuer: String,
    permissions: Vec<String>,
}

impl AuthServiceTokens {
    /// Tokens for the service `name`, whose key is `key`, from the auth service that calls itself `issuer`.
    pub fn new(
        client: AuthServiceClient<Channel>,
        key: SigningKey,
        name: impl Into<String>,
        issuer: impl Into<String>,
    ) -> Self {
        Self {
            client,
            key,
            name: name.into(),
            issuer: issuer.into(),
            permissions: Vec::new(),
        }
    }

    /// Asks for these permissions only, instead of all that are granted.
    #[must_use]
    pub fn with_permissions(mut self, permissions: Vec<String>) -> Self {
        self.permissions = permissions;
        self
    }
}

impl AuthServiceTokens {
    async fn exchange(
        &self,
        audience: &str,
        subject: Option<&SubjectToken>,
    ) -> Result<Token, BoxError> {
        let mut client = self.client.clone();
        let now = SystemTime::now();
        let assertion = assertion::sign(&self.key, &self.name, &self.issuer, now)?;
        let request = ExchangeTokenRequest {
            client_assertion_type: assertion::CLIENT_ASSERTION_TYPE.to_owned(),
            client_assertion: assertion.expose().to_owned(),
            audience: audience.to_owned(),
            permissions: self.permissions.clone(),
            subject_token: subject.map_or_else(String::new, |token| token.expose().to_owned()),
            subject_token_type: subject
                .map_or_else(String::new, |token| token.kind().urn().to_owned()),
        };
        let response = client.exchange_token(request).await?.into_inner();
        let lifetime = response
            .expires_in
            .map(Duration::try_from)
            .transpose()?
            .unwrap_or_default();
        Ok(Token::new(
            Secret::new(response.access_token),
            now + lifetime,
        )?)
    }
}

impl TokenSource for AuthServiceTokens {
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(self.exchange(audience, None))
    }

    fn fetch_on_behalf_of<'a>(
        &'a self,
        audience: &'a str,
        subject: &'a SubjectToken,
    ) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(self.exchange(audience, Some(subject)))
    }
}
