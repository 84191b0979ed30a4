#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed unwrap is a failed test"
)]

use std::time::{Duration, SystemTime};

use scribemed_auth::SigningKey;

use super::*;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn client(permissions: &[&str]) -> Client {
    let key = SigningKey::generate().unwrap();
    Client {
        keys: KeySet::new([key.public().clone()]).unwrap(),
        permissions: permissions
            .iter()
            .map(|name| Permission::new(name).unwrap())
            .collect(),
    }
}

/// `expect`: where, and what the message must say.
fn check(text: &str, expect: Result<&[&str], (&str, &str)>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grants.toml");
    std::fs::write(&path, text).unwrap();
    match (Grants::load(&path), expect) {
        (Ok(grants), Ok(names)) => {
            assert_eq!(grants.clients().keys().collect::<Vec<_>>(), names, "{text}");
        }
        (Err(error), Err((place, what))) => {
            let message = error.to_string();
            let begin = format!("{}{place}: ", path.display());
            assert!(message.starts_with(&begin), "{begin:?} in {message:?}");
            assert!(message.contains(what), "{what:?} in {message:?}");
            assert!(message.ends_with(EXAMPLE), "{message:?}");
            assert!(!message.contains("SECRET"), "{message:?}");
        }
        (got, _) => panic!("{text}: {got:?}"),
    }
}

#[test]
fn reads_what_is_right() {
    check(
        &format!("[clients.a]\nkeys = [\"{X}\"]\npermissions = []\n"),
        Ok(&["a"]),
    );
    check(
        &format!(
            "[clients]\nfhir-adapter2 = {{ keys = [\"{X}\", \"{X}\"], permissions = [\"read:notes\", \"read:notes\"] }}"
        ),
        Ok(&["fhir-adapter2"]),
    );
}

#[test]
fn an_error_names_file_line_and_client_and_shows_a_good_entry() {
    let entry = |name: &str, keys: &str, permissions: &str| {
        format!("# ours\n[clients.{name}]\nkeys = [{keys}]\npermissions = [{permissions}]\n")
    };
    let key = format!("\"{X}\"");
    let long = "a".repeat(64);
    check("", Err(("", "names no client")));
    check("[clients]\n", Err(("", "names no client")));
    check(
        "[client.a]\nkeys = []",
        Err((":1", "unknown field `client`")),
    );
    check("\n\nclients = = 1", Err((":3", "")));
    check(
        &entry("A", &key, ""),
        Err((":2", "\"A\" is no name of a service")),
    );
    check(&entry("1a", &key, ""), Err((":2", "\"1a\"")));
    check(&entry(&long, &key, ""), Err((":2", &long)));
    check(&entry("a", "", ""), Err((":2", "a has no key")));
    check(
        &entry("a", "\"SECRET\"", ""),
        Err((":3", "a key of a is not a public Ed25519 key")),
    );
    check(&entry("a", "7", ""), Err((":3", "expected a string")));
    check(
        &entry("a", &key, "\"notes\""),
        Err((":4", "of a, `notes` is not a permission")),
    );
    check(
        &format!("[clients.a]\nkey = \"{X}\"\nkeys = [\"{X}\"]\npermissions = []\n"),
        Err((
            ":2",
            "unknown field `key`, expected `keys` or `permissions`",
        )),
    );
    check(
        &format!("[clients.a]\nkeys = [\"{X}\"]\n"),
        Err((":1", "missing field `permissions`")),
    );
    check(
        &format!("{}{}", entry("a", &key, ""), entry("b", &key, "")),
        Err((":7", "b has a key of a")),
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = Grants::load(Path::new("/nowhere/grants.toml")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the grants file /nowhere/grants.toml cannot be used"
    );
}

#[test]
fn what_is_written_is_read_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grants.toml");
    let mut clients = BTreeMap::from([
        ("documentation".to_owned(), client(&["read:transcriptions"])),
        ("transcription".to_owned(), client(&[])),
    ]);
    Grants::write(&path, &clients).unwrap();
    assert_eq!(Grants::load(&path).unwrap().clients(), &clients);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    clients.insert("operator".to_owned(), client(&["rotate:keys"]));
    Grants::write(&path, &clients).unwrap();
    assert_eq!(Grants::load(&path).unwrap().clients(), &clients);

    let nameless = BTreeMap::from([(String::new(), client(&[]))]);
    assert!(matches!(
        Grants::write(&path, &nameless),
        Err(Error::Invalid { .. })
    ));
    assert_eq!(Grants::load(&path).unwrap().clients(), &clients);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_change_counts_after_a_second_and_a_broken_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grants.toml");
    let write = |name: &str| {
        Grants::write(&path, &BTreeMap::from([(name.to_owned(), client(&[]))])).unwrap();
    };
    write("first");
    let start = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
    let file = GrantsFile::open(path.clone(), start).await.unwrap();
    let at = async |seconds: u64| {
        let grants = file.current(start + Duration::from_secs(seconds)).await;
        grants.clients().keys().next().cloned().unwrap()
    };

    write("second");
    assert_eq!(at(0).await, "first");
    assert_eq!(at(1).await, "second");
    std::fs::write(&path, "broken =").unwrap();
    assert_eq!(at(2).await, "second");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(at(3).await, "second");
    write("third");
    assert_eq!(at(3).await, "second");
    assert_eq!(at(4).await, "third");
    // The clock was set back.
    write("fourth");
    assert_eq!(at(0).await, "fourth");
}
