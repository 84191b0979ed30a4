//! Running the service: grants that change, a store that fails.

use std::time::Duration;

use scribemed_auth_service::{AuthService, Config, Error};
use scribemed_proto::auth::v1::auth_service_server::SERVICE_NAME;
use tonic::{Code, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::support::{ISSUER, Rig, grant, reason};

#[tokio::test]
async fn changed_grants_are_in_force_after_a_second() {
    let rig = Rig::start().await;
    let exchange = async || {
        let assertion = rig.assertion(&rig.documentation);
        let response = rig
            .exchange_raw(assertion.expose(), "transcription", &[])
            .await;
        response.map(|response| response.scope)
    };
    let all = "read:transcriptions write:transcriptions";
    grant(
        &rig.folder,
        &[(&rig.documentation, &["read:transcriptions"])],
    );
    assert_eq!(exchange().await.unwrap(), all);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(exchange().await.unwrap(), "read:transcriptions");

    std::fs::write(rig.folder.path().join("grants.toml"), "[clients.broken]").unwrap();
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(exchange().await.unwrap(), "read:transcriptions");

    grant(&rig.folder, &[(&rig.operator, &["rotate:keys"])]);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(
        reason(exchange().await, Code::Unauthenticated),
        "CLIENT_UNKNOWN"
    );
}

#[tokio::test]
async fn health_follows_the_store() {
    let rig = Rig::start().await;
    let mut watch = watch(&rig).await;
    assert_eq!(next(&mut watch).await, ServingStatus::Serving);

    let database = scribemed_jobs::open(&rig.folder.path().join("data/auth.db"))
        .await
        .unwrap();
    let run = async |statement: &'static str| {
        sqlx::query(statement).execute(&database).await.unwrap();
    };
    run("CREATE TRIGGER full BEFORE INSERT ON used_assertions BEGIN SELECT RAISE(ABORT, 'disk is full'); END").await;
    let assertion = rig.assertion(&rig.documentation);
    let failed = rig
        .exchange_raw(assertion.expose(), "transcription", &[])
        .await;
    assert!(!format!("{failed:?}").contains("disk"), "{failed:?}");
    assert_eq!(reason(failed, Code::Internal), "STORE_FAILED");
    assert_eq!(next(&mut watch).await, ServingStatus::NotServing);

    run("DROP TRIGGER full").await;
    assert_eq!(next(&mut watch).await, ServingStatus::Serving);
    // A file that is gone: SQLite goes on writing, and nothing of it would survive.
    let (file, away) = (
        rig.folder.path().join("data/auth.db"),
        rig.folder.path().join("data/away.db"),
    );
    let mut watch = self::watch(&rig).await;
    assert_eq!(next(&mut watch).await, ServingStatus::Serving);
    std::fs::rename(&file, &away).unwrap();
    assert_eq!(next(&mut watch).await, ServingStatus::NotServing);
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(next(&mut watch).await, ServingStatus::Serving);

    // Nothing was taken when it failed.
    let response = rig
        .exchange_raw(assertion.expose(), "transcription", &[])
        .await;
    assert!(response.is_ok());
}

/// A watch lasts for 10 s, like every call of a method without a contract.
async fn watch(rig: &Rig) -> Streaming<HealthCheckResponse> {
    let request = HealthCheckRequest {
        service: SERVICE_NAME.to_owned(),
    };
    let watch = HealthClient::new(rig.channel()).watch(request).await;
    watch.unwrap().into_inner()
}

async fn next(watch: &mut Streaming<HealthCheckResponse>) -> ServingStatus {
    watch.message().await.unwrap().unwrap().status()
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        data: folder.path().join("data"),
        grants: folder.path().join("grants.toml"),
        issuer: ISSUER.to_owned(),
        end_users: None,
    };
    let missing = AuthService::open(config.clone()).await.unwrap_err();
    assert!(matches!(missing, Error::Grants(_)), "{missing:?}");
    assert!(missing.to_string().contains("grants.toml"));
    assert!(!config.data.exists(), "nothing is left behind");

    let key = scribemed_auth::SigningKey::generate().unwrap();
    let entry = format!(
        "[clients.a]\nkeys = [\"{}\"]\npermissions = []",
        key.public().x()
    );
    std::fs::write(&config.grants, entry).unwrap();
    std::fs::create_dir(&config.data).unwrap();
    std::fs::write(
        config.data.join("auth.db"),
        "this is no database, however one looks at it",
    )
    .unwrap();
    let broken = AuthService::open(config).await.unwrap_err();
    assert!(matches!(broken, Error::Store(_)), "{broken:?}");
}
