//! RotateKeys and GetKeySet.

use std::time::{Duration, SystemTime};

use scribemed_auth::Clock as _;
use scribemed_proto::auth::v1 as proto;
use scribemed_proto::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_service::{Channel, ClientSettings, Platform, Settings};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{ISSUER, Rig, kid, reason};

const REQUEST: &str = "0198c0de-0000-7000-8000-000000000001";

#[tokio::test]
async fn no_token_fails_while_keys_rotate() {
    let rig = Rig::start().await;
    let operator = rig.token(&rig.operator, "auth").await;
    let token = async || rig.token(&rig.documentation, "transcription").await;
    // It fetched the keys before the rotation and learns the new one by itself.
    let verifier = rig.verifier("transcription");
    let before = token().await;
    assert!(verifier.verify(&before).await.is_ok());
    let old = kid(&before);

    let rotation = rig.rotate(Some(&operator), "").await.unwrap();
    let at = |time: Option<prost_types::Timestamp>| SystemTime::try_from(time.unwrap()).unwrap();
    let activate = at(rotation.activate_time)
        .duration_since(rig.clock.now())
        .unwrap();
    assert!(
        activate <= Duration::from_mins(5) && activate > Duration::from_secs(299),
        "{activate:?}"
    );
    let new = rotation.kid;
    assert_ne!(new, old);

    // Published before it is used, and for longer than a verifier keeps the set.
    assert_eq!(rig.published().await, [old.clone(), new.clone()]);
    let max_age = rig
        .client()
        .get_key_set(proto::GetKeySetRequest {})
        .await
        .unwrap();
    let max_age = Duration::try_from(max_age.into_inner().max_age.unwrap()).unwrap();
    assert!(max_age < activate, "{max_age:?}");
    assert_eq!(kid(&token().await), old);
    rig.clock
        .advance(activate.checked_sub(Duration::from_millis(1)).unwrap());
    let last = token().await;
    assert_eq!(kid(&last), old);

    rig.clock.advance(Duration::from_millis(1));
    let first = token().await;
    assert_eq!(kid(&first), new);
    for token in [&last, &first] {
        assert!(verifier.verify(token).await.is_ok());
        assert!(rig.verifier("transcription").verify(token).await.is_ok());
    }
    // The last token of the old key verifies to its very end, and then the key goes.
    rig.clock.advance(Duration::from_secs(5 * 60 + 58));
    assert!(rig.verifier("transcription").verify(&last).await.is_ok());
    rig.clock.set(at(rotation.retire_time));
    assert_eq!(rig.published().await, [new]);
}

#[tokio::test]
async fn a_second_rotation_and_a_repeat_get_the_first() {
    let rig = Rig::start().await;
    let operator = rig.token(&rig.operator, "auth").await;
    let rotate = async |id: &'static str| rig.rotate(Some(&operator), id).await.unwrap();
    let first = rotate(REQUEST).await;
    assert_eq!(rotate("").await, first);
    assert_eq!(rotate(REQUEST).await, first);
    assert_eq!(rig.published().await.len(), 2);

    rig.clock.advance(Duration::from_mins(5));
    assert_eq!(rotate(REQUEST).await, first);
    assert_eq!(rotate("0198C0DE-0000-7000-8000-000000000001").await, first);
    assert_ne!(rotate("").await.kid, first.kid);
}

#[tokio::test]
async fn keys_and_a_rotation_survive_a_restart() {
    let mut rig = Rig::start().await;
    let operator = rig.token(&rig.operator, "auth").await;
    let before = rig.token(&rig.documentation, "transcription").await;
    let rotation = rig.rotate(Some(&operator), REQUEST).await.unwrap();
    let published = rig.published().await;
    rig.restart().await;
    assert_eq!(rig.published().await, published);
    assert!(rig.verifier("transcription").verify(&before).await.is_ok());
    assert_eq!(
        rig.rotate(Some(&operator), REQUEST).await.unwrap(),
        rotation
    );
    rig.clock.advance(Duration::from_mins(5));
    assert_eq!(
        kid(&rig.token(&rig.documentation, "transcription").await),
        rotation.kid
    );
}

#[tokio::test]
async fn only_who_may_rotates() {
    let rig = Rig::start().await;
    let published = rig.published().await;
    assert_eq!(
        reason(rig.rotate(None, "").await, Code::Unauthenticated),
        "TOKEN_MISSING"
    );
    let foreign = rig.token(&rig.operator, "transcription").await;
    let refused = rig.rotate(Some(&foreign), "").await;
    assert_eq!(
        reason(refused, Code::Unauthenticated),
        "TOKEN_WRONG_AUDIENCE"
    );

    let token = rig.token(&rig.documentation, "auth").await;
    let refused = rig.rotate(Some(&token), "").await;
    let details = refused.as_ref().unwrap_err().get_error_details();
    assert_eq!(
        details.error_info().unwrap().metadata["missing"],
        "rotate:keys"
    );
    assert_eq!(
        reason(refused, Code::PermissionDenied),
        "PERMISSION_MISSING"
    );

    let operator = rig.token(&rig.operator, "auth").await;
    let status = rig.rotate(Some(&operator), "no-uuid").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    assert_eq!(
        details.bad_request().unwrap().field_violations[0].field,
        "request_id"
    );
    assert_eq!(rig.published().await, published);
}

#[tokio::test]
async fn a_service_on_the_platform_gets_its_tokens_by_itself() {
    let rig = Rig::start().await;
    let settings = Settings::with_auth_service(
        "operator",
        rig.registry(),
        ISSUER,
        rig.operator.key.clone(),
        ClientSettings::default(),
    )
    .await;
    let platform = Platform::new(settings.unwrap(), CancellationToken::new());
    let mut client = platform
        .client::<AuthServiceClient<Channel>>()
        .await
        .unwrap();
    let response = client
        .rotate_keys(proto::RotateKeysRequest::default())
        .await;
    let kid = response.unwrap().into_inner().kid;
    assert!(rig.published().await.contains(&kid));
}
