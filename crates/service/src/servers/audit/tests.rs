#![allow(clippy::unwrap_used, reason = "a test may panic")]
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn env(variables: &[(&str, &str)]) -> Env {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn refused(variables: &[(&str, &str)]) -> String {
    open_audit(&env(variables), "greeter")
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn a_file_that_is_named_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let name = file.to_str().unwrap();
    assert!(open_audit(&env(&[]), "greeter").unwrap().is_none());
    let log = open_audit(&env(&[(FILE, name)]), "greeter")
        .unwrap()
        .unwrap();
    let second = refused(&[(FILE, name)]);
    assert!(second.contains("another process"), "{second}");
    log.close().await;
    assert_eq!(
        scribemed_audit::verify(&file, None, None).unwrap().records,
        2
    );
}

#[test]
fn what_cannot_be_used_is_named_beside_a_good_value() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none/audit.jsonl");
    let error = refused(&[(FILE, nowhere.to_str().unwrap())]);
    assert!(
        error.contains("No such file") && error.contains(FILE_EXAMPLE),
        "{error}"
    );

    let key = folder.path().join("key");
    std::fs::write(&key, "short").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = folder.path().join("audit.jsonl");
    let error = refused(&[(FILE, file.to_str().unwrap()), (KEY, key.to_str().unwrap())]);
    assert!(
        error.contains("openssl rand") && error.contains(KEY_EXAMPLE),
        "{error}"
    );
}
