//! scribemed.auth.v1.

use scribemed_compat::auth::v1::{GetKeySetRequest, RotateKeysRequest};
use tonic::Code;

use crate::caller::{invalid, refused};
use crate::world::{Auth, World, id};

pub(crate) async fn answers(world: &World) {
    let mut auth = Auth::new(world.answering("auth").await);
    let answer = auth.exchange_token(world.exchange("transcription")).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.token_type, "Bearer");
    assert_eq!(
        answer.issued_token_type,
        "urn:ietf:params:oauth:token-type:access_token"
    );
    assert_eq!(answer.expires_in.unwrap().seconds, 300);
    assert!(answer.scope.contains("read:transcriptions"));

    let keys = auth.get_key_set(GetKeySetRequest {}).await.unwrap();
    let keys = keys.into_inner();
    assert!(keys.max_age.unwrap().seconds > 0);
    let key = &keys.keys[0];
    assert_eq!(
        [&*key.kty, &*key.crv, &*key.alg, &*key.r#use],
        ["OKP", "Ed25519", "EdDSA", "sig"]
    );
    // The key that signed the token is among them, by its id.
    let head = jsonwebtoken::decode_header(&answer.access_token).unwrap();
    assert!(
        keys.keys
            .iter()
            .any(|key| Some(&key.kid) == head.kid.as_ref())
    );

    let rotate = RotateKeysRequest { request_id: id() };
    let first = auth.rotate_keys(rotate.clone()).await.unwrap().into_inner();
    let again = auth.rotate_keys(rotate).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert!(first.activate_time.unwrap().seconds < first.retire_time.unwrap().seconds);
    let keys = auth.get_key_set(GetKeySetRequest {}).await.unwrap();
    let keys = keys.into_inner().keys;
    assert!(keys.iter().any(|key| key.kid == first.kid));
}

pub(crate) async fn refusals(world: &World) {
    let mut auth = Auth::new(world.refusing("auth").await);
    let used = world.exchange("transcription");
    auth.exchange_token(used.clone()).await.unwrap();
    let again = auth.exchange_token(used).await;
    refused(again, Code::Unauthenticated, "ASSERTION_REPLAYED");
    let mut request = world.exchange("transcription");
    "nonsense".clone_into(&mut request.client_assertion);
    let malformed = auth.exchange_token(request).await;
    refused(malformed, Code::Unauthenticated, "ASSERTION_MALFORMED");
    let mut request = world.exchange("transcription");
    request.permissions = vec!["delete:everything".to_owned()];
    let denied = auth.exchange_token(request).await;
    refused(denied, Code::PermissionDenied, "PERMISSION_NOT_GRANTED");
    let unnamed = auth.exchange_token(world.exchange("")).await;
    invalid(unnamed, "INVALID_REQUEST", "audience");

    let rotate = |request_id: &str| RotateKeysRequest {
        request_id: request_id.to_owned(),
    };
    invalid(
        auth.rotate_keys(rotate("1")).await,
        "INVALID_REQUEST",
        "request_id",
    );
    let mut nobody = Auth::new(world.nobody("auth").await);
    refused(
        nobody.rotate_keys(rotate("")).await,
        Code::Unauthenticated,
        "TOKEN_MISSING",
    );
}
