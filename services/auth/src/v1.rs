//! `scribemed.auth.v1.AuthService`.

use std::sync::Arc;

use scribemed_auth::{Clock, Jwk};
use scribemed_proto::auth::v1 as proto;
use scribemed_proto::auth::v1::auth_service_server::AuthService;
use scribemed_rpc::SubjectTokenKind;
use scribemed_server::principal;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::error::Error;
use crate::exchange::{Exchange, Exchanged};
use crate::health::StoreHealth;
use crate::store::{MAX_AGE, Rotation, Store};
use crate::subjects::Presented;
use crate::time::{from_millis, to_millis};

/// The handlers.
pub(crate) struct V1 {
    pub(crate) exchange: Exchange,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: StoreHealth,
}

impl V1 {
    fn answer<T, R: From<T>>(&self, result: Result<T, Error>) -> Result<Response<R>, Status> {
        match result {
            Ok(answer) => Ok(Response::new(answer.into())),
            Err(error) => {
                self.health.observe(&error);
                Err(error.into())
            }
        }
    }
}

#[tonic::async_trait]
impl AuthService for V1 {
    async fn exchange_token(
        &self,
        request: Request<proto::ExchangeTokenRequest>,
    ) -> Result<Response<proto::ExchangeTokenResponse>, Status> {
        let request = request.into_inner();
        let exchanged = async {
            let presented = Presented::read(&request.subject_token, &request.subject_token_type)?;
            self.exchange
                .exchange(
                    &request.client_assertion,
                    &request.audience,
                    &request.permissions,
                    presented,
                )
                .await
        };
        self.answer(exchanged.await)
    }

    async fn get_key_set(
        &self,
        _request: Request<proto::GetKeySetRequest>,
    ) -> Result<Response<proto::GetKeySetResponse>, Status> {
        let published = self.store.published(to_millis(self.clock.now())).await;
        let keys = published.map(|keys| keys.iter().map(jwk).collect());
        self.answer(keys.map(KeySetAnswer).map_err(Error::from))
    }

    async fn rotate_keys(
        &self,
        request: Request<proto::RotateKeysRequest>,
    ) -> Result<Response<proto::RotateKeysResponse>, Status> {
        let caller = principal(&request)?.service().to_owned();
        // The contract allows an empty id, and no other that is not a UUID.
        let request_id = Uuid::parse_str(&request.get_ref().request_id).ok();
        let now = to_millis(self.clock.now());
        let rotation = self.store.rotate(&caller, request_id, now).await;
        self.answer(rotation.map_err(Error::from))
    }
}

/// The published keys.
struct KeySetAnswer(Vec<proto::Jwk>);

impl From<KeySetAnswer> for proto::GetKeySetResponse {
    fn from(KeySetAnswer(keys): KeySetAnswer) -> Self {
        Self {
            keys,
            max_age: prost_types::Duration::try_from(MAX_AGE).ok(),
        }
    }
}

impl From<Exchanged> for proto::ExchangeTokenResponse {
    fn from(exchanged: Exchanged) -> Self {
        let scope: Vec<_> = exchanged.permissions.iter().map(AsRef::as_ref).collect();
        Self {
            access_token: exchanged.issued.secret.expose().to_owned(),
            token_type: "Bearer".to_owned(),
            expires_in: prost_types::Duration::try_from(exchanged.issued.lifetime).ok(),
            scope: scope.join(" "),
            issued_token_type: SubjectTokenKind::AccessToken.urn().to_owned(),
        }
    }
}

impl From<Rotation> for proto::RotateKeysResponse {
    fn from(rotation: Rotation) -> Self {
        Self {
            kid: rotation.kid,
            activate_time: Some(from_millis(rotation.activate_at).into()),
            retire_time: Some(from_millis(rotation.retire_at).into()),
        }
    }
}

fn jwk(key: &Jwk) -> proto::Jwk {
    proto::Jwk {
        kid: key.kid().to_owned(),
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        x: key.x(),
        alg: "EdDSA".to_owned(),
        r#use: "sig".to_owned(),
    }
}
