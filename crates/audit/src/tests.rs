#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use uuid::Uuid;

use super::*;

fn entry(caller: &str) -> Entry {
    Entry {
        time: SystemTime::now(),
        caller: Some(caller.into()),
        on_behalf_of: Some(OnBehalfOf {
            issuer: "https://login.test".into(),
            subject: "0198-ab".into(),
            prior_actors: vec!["gateway".to_owned()],
        }),
        method: "greeter.v1.Greeter/Greet",
        code: "OK",
        request_id: Uuid::nil(),
        token_id: Some("token \"1\"".into()),
        peer: None,
    }
}

fn stranger() -> Entry {
    Entry {
        caller: None,
        token_id: None,
        on_behalf_of: None,
        code: "UNAUTHENTICATED",
        ..entry("")
    }
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("audit.jsonl")
}

fn key() -> Key {
    Key::new(&[7; 32]).unwrap()
}

async fn write(config: Config, calls: usize) {
    let log = AuditLog::open(config).unwrap();
    for call in 0..calls {
        log.reserve()
            .unwrap()
            .record(entry(&format!("caller-{call}")));
    }
    log.close().await;
}

/// A whole log: record 1 opens it, records 2 to 6 are calls, record 7 closes it.
async fn written(folder: &TempDir, key: Option<Key>) -> PathBuf {
    let mut config = Config::new(path(folder), "greeter");
    config.key = key;
    write(config, 5).await;
    path(folder)
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn broken(path: &Path, key: Option<&Key>) -> (u64, Problem) {
    match verify(path, key, None) {
        Err(VerifyError::Broken(Broken { line, problem, .. })) => (line, problem),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tells_who_called_what_and_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, None).await;
    let records: Vec<serde_json::Value> = lines(&path)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<_> = records.iter().map(|record| &record["event"]).collect();
    assert_eq!(
        events,
        ["opened", "call", "call", "call", "call", "call", "closed"]
    );
    let call = &records[3];
    assert_eq!(call["seq"], 4);
    assert_eq!(call["service"], "greeter");
    assert_eq!(call["caller"], "caller-2");
    assert_eq!(call["method"], "greeter.v1.Greeter/Greet");
    assert_eq!(call["code"], "OK");
    assert_eq!(call["token_id"], "token \"1\"");
    assert_eq!(call["on_behalf_of"]["subject"], "0198-ab");
    assert_eq!(call["on_behalf_of"]["prior_actors"][0], "gateway");
    assert_eq!(call["prev"], records[2]["hash"]);
    let report = verify(&path, None, Some(7)).unwrap();
    assert_eq!((report.records, report.first, report.last), (7, 1, 7));
    assert_eq!(report.unclean, [0; 0]);
}

#[tokio::test]
async fn a_change_is_found_where_it_was_made() {
    type Tamper = fn(&mut Vec<String>);
    let cases: [(Tamper, u64, Problem); 7] = [
        (
            |lines| lines[3] = lines[3].replace("caller-2", "caller-3"),
            4,
            Problem::Changed { seq: 4 },
        ),
        (
            |lines| lines[3] = lines[3].replace("\"OK\"", "\"NOT_FOUND\""),
            4,
            Problem::Changed { seq: 4 },
        ),
        (
            |lines| {
                lines.remove(3);
            },
            4,
            Problem::Missing {
                seq: 5,
                expected: 4,
            },
        ),
        (
            |lines| lines.swap(3, 4),
            4,
            Problem::Missing {
                seq: 5,
                expected: 4,
            },
        ),
        (
            |lines| lines.insert(4, lines[2].clone()),
            5,
            Problem::Moved {
                seq: 3,
                expected: 5,
            },
        ),
        (|lines| lines[3].truncate(60), 4, Problem::NotARecord),
        (|lines| lines[5] = String::new(), 6, Problem::NotARecord),
    ];
    for (tamper, line, problem) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = written(&folder, None).await;
        let mut lines = lines(&path);
        tamper(&mut lines);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        assert_eq!(broken(&path, None), (line, problem));
    }
}

#[tokio::test]
async fn a_record_that_was_made_anew_does_not_fit_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, None).await;
    let mut lines = lines(&path);
    let (body, _) = chain::open(lines[3].as_bytes()).unwrap();
    let forged = String::from_utf8(body.to_vec())
        .unwrap()
        .replace("caller-2", "caller-9");
    let mut line = Vec::new();
    chain::seal(None, forged.as_bytes(), &mut line);
    lines[3] = String::from_utf8(line).unwrap().trim_end().to_owned();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    assert_eq!(broken(&path, None), (5, Problem::Replaced { seq: 5 }));
}

#[tokio::test]
async fn with_a_key_nobody_else_can_make_the_chain_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, Some(key())).await;
    verify(&path, Some(&key()), None).unwrap();
    let other = Key::new(&[8; 32]).unwrap();
    for key in [None, Some(&other)] {
        assert_eq!(broken(&path, key), (1, Problem::Changed { seq: 1 }));
    }
    let mut config = Config::new(&path, "greeter");
    config.key = Some(other);
    assert!(matches!(
        AuditLog::open(config),
        Err(OpenError::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_chain_that_was_cut_off_does_not_reach_what_was_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, None).await;
    let text = lines(&path)[..4].join("\n") + "\n";
    fs::write(&path, text).unwrap();
    assert!(matches!(
        verify(&path, None, Some(7)),
        Err(VerifyError::CutOff {
            last: 4,
            expected: 7
        })
    ));
    // What is written on after the cut is seen as well: nothing says that the log was closed.
    write(Config::new(&path, "greeter"), 0).await;
    assert_eq!(verify(&path, None, None).unwrap().unclean, [5]);
}

#[tokio::test]
async fn a_line_that_broke_off_is_cut_at_the_next_start_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, None).await;
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    assert_eq!(broken(&path, None), (7, Problem::Torn));
    write(Config::new(&path, "greeter"), 1).await;
    let report = verify(&path, None, None).unwrap();
    assert_eq!((report.last, report.unclean), (9, vec![7]));
    let opened: serde_json::Value = serde_json::from_str(&lines(&path)[6]).unwrap();
    assert_eq!(opened["event"], "opened");
    assert!(opened["torn_bytes"].as_u64().unwrap() > 100);
}

#[tokio::test]
async fn the_chain_goes_on_in_the_next_file() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let mut config = Config::new(path(&folder), "greeter");
        config.rotate_at = 1;
        write(config, 3).await;
    }
    let report = verify(&path(&folder), None, None).unwrap();
    assert_eq!((report.records, report.last), (15, 15));
    assert!(report.files >= 6, "{report:?}");
    assert_eq!(report.unclean, [0; 0]);
    let (_, second) = file::earlier(&path(&folder)).unwrap().remove(1);
    fs::remove_file(second).unwrap();
    let (line, problem) = broken(&path(&folder), None);
    assert_eq!(line, 1);
    assert!(matches!(problem, Problem::Missing { .. }), "{problem:?}");
}

#[tokio::test]
async fn what_waits_for_the_disk_is_told_when_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(Config::new(path(&folder), "greeter")).unwrap();
    let place = log.reserve().unwrap();
    place.record_durably(entry("emr")).await;
    let last = lines(&path(&folder)).pop().unwrap();
    assert!(last.contains("emr"), "{last}");
    assert_eq!(log.sequence(), 2);
    log.close().await;
    // Whatever comes later is refused by nobody, and is told in the log of the process.
    log.close().await;
}

#[tokio::test]
async fn without_room_nothing_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(path(&folder), "greeter");
    config.capacity = 1;
    let log = AuditLog::open(config).unwrap();
    let place = log.reserve().unwrap();
    assert_eq!(log.reserve().unwrap_err(), Unavailable);
    // A stranger is counted, not lost.
    log.refused(stranger());
    drop(place);
    log.reserve().unwrap().record_durably(entry("emr")).await;
    log.close().await;
    let all = lines(&path(&folder)).join("\n");
    assert!(
        all.contains("\"event\":\"suppressed\",\"count\":1"),
        "{all}"
    );
    verify(&path(&folder), None, None).unwrap();
}

#[tokio::test]
async fn a_flood_of_strangers_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(Config::new(path(&folder), "greeter")).unwrap();
    for _ in 0..5_000 {
        log.refused(stranger());
    }
    log.close().await;
    let records: Vec<serde_json::Value> = lines(&path(&folder))
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told = records
        .iter()
        .filter(|record| record["event"] == "call")
        .count();
    let counted: u64 = records
        .iter()
        .filter_map(|record| record["count"].as_u64())
        .sum();
    assert_eq!(told as u64 + counted, 5_000);
    assert!(told < 1_000, "{told}");
}

#[tokio::test]
async fn one_process_writes_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(Config::new(path(&folder), "greeter")).unwrap();
    let second = AuditLog::open(Config::new(path(&folder), "greeter"));
    assert!(matches!(second, Err(OpenError::InUse { .. })));
    log.close().await;
}

/// `/dev/full` takes nothing, and says ENOSPC.
#[tokio::test]
async fn a_full_disk_refuses_calls_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let log = AuditLog::open(Config::new(path(&folder), "greeter")).unwrap();
    log.reserve().unwrap().record_durably(entry("before")).await;
    log.set_full(true).await;
    let mut failing = log.failing();
    let waits = log.reserve().unwrap().record_durably(entry("meanwhile"));
    failing.wait_for(|failing| *failing).await.unwrap();
    assert_eq!(log.reserve().unwrap_err(), Unavailable);
    log.set_full(false).await;
    tokio::time::timeout(Duration::from_secs(20), waits)
        .await
        .unwrap();
    log.reserve().unwrap().record(entry("after"));
    log.close().await;
    let all = lines(&path(&folder)).join("\n");
    for caller in ["before", "meanwhile", "after"] {
        assert_eq!(all.matches(caller).count(), 1, "{caller} in {all}");
    }
    verify(&path(&folder), None, None).unwrap();
}

#[test]
fn a_key_is_long_and_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, [1; 32]).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Key::load(&file), Err(KeyError::Exposed)));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    Key::load(&file).unwrap();
    assert!(matches!(Key::new(&[1; 31]), Err(KeyError::Short(31))));
}
