#![allow(clippy::unwrap_used, reason = "a test may panic")]

use tempfile::TempDir;
use tokio::time::timeout;

use super::super::tests::CONTRACTS;
use super::*;

const ONE: &str = r#"{"retryThrottling": {"maxTokens": 1, "tokenRatio": 0.1}}"#;
const TWO: &str = r#"{"retryThrottling": {"maxTokens": 2, "tokenRatio": 0.1}}"#;
/// Longer than a change takes to be seen.
const A_WHILE: Duration = Duration::from_secs(5);

fn tokens(config: &ServiceConfig) -> Option<u32> {
    config.retry_throttling().map(|found| found.max_tokens)
}

/// The next change; it fails where none is seen.
async fn change(file: &mut ConfigFile) -> ServiceConfig {
    timeout(A_WHILE, file.changed()).await.unwrap()
}

fn open(content: &str) -> (TempDir, PathBuf, ConfigFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inn.json");
    std::fs::write(&path, content).unwrap();
    let (file, config) = ConfigFile::open(&path, CONTRACTS).unwrap();
    assert_eq!(config, ServiceConfig::parse(content, CONTRACTS).unwrap());
    (folder, path, file)
}

#[tokio::test(start_paused = true)]
async fn a_change_is_seen_within_a_second() {
    let (_folder, path, mut file) = open(ONE);
    let start = Instant::now();
    std::fs::write(&path, TWO).unwrap();
    assert_eq!(tokens(&change(&mut file).await), Some(2));
    assert_eq!(start.elapsed(), LOOK_EVERY);
    std::fs::write(&path, ONE).unwrap();
    assert_eq!(tokens(&change(&mut file).await), Some(1));
    assert!(timeout(A_WHILE, file.changed()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_replaced_by_another_is_seen() {
    let (folder, path, mut file) = open(ONE);
    let next = folder.path().join("next.json");
    std::fs::write(&next, TWO).unwrap();
    std::fs::rename(&next, &path).unwrap();
    assert_eq!(tokens(&change(&mut file).await), Some(2));
}

#[tokio::test(start_paused = true)]
async fn what_is_broken_or_gone_changes_nothing() {
    let (_folder, path, mut file) = open(ONE);
    for broken in ["", "{", "{\"retryThrottling\": {}}"] {
        std::fs::write(&path, broken).unwrap();
        assert!(timeout(A_WHILE, file.changed()).await.is_err(), "{broken}");
        assert!(file.complaint.is_some(), "{broken}");
    }
    std::fs::write(&path, [0xff]).unwrap();
    assert!(timeout(A_WHILE, file.changed()).await.is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(timeout(A_WHILE, file.changed()).await.is_err());
    std::fs::write(&path, TWO).unwrap();
    assert_eq!(tokens(&change(&mut file).await), Some(2));
    assert_eq!(file.complaint, None);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_no_change() {
    let (_folder, path, mut file) = open(ONE);
    std::fs::write(&path, TWO).unwrap();
    assert!(timeout(LOOK_EVERY / 2, file.changed()).await.is_err());
    assert_eq!(tokens(&change(&mut file).await), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_complaint_is_made_once() {
    let (_folder, path, mut file) = open(ONE);
    let content = |text: &str| Ok(text.to_owned());
    let gone = || {
        Err(FileError::Unreadable {
            path: path.clone(),
            source: std::io::ErrorKind::NotFound.into(),
        })
    };
    assert_eq!(file.judge(content(ONE)), Found::Nothing);
    let Found::Wrong(error) = file.judge(content("{\"a\": 1}")) else {
        unreachable!("it is refused");
    };
    let place = format!(
        "the service config {} is refused: a is not known",
        path.display()
    );
    assert!(error.starts_with(&place), "{error}");
    assert_eq!(file.judge(content("{\"a\": 1}")), Found::Nothing);
    assert!(matches!(file.judge(gone()), Found::Wrong(_)));
    assert_eq!(file.judge(gone()), Found::Nothing);
    assert_eq!(file.judge(content(ONE)), Found::Restored);
    assert_eq!(file.judge(content(ONE)), Found::Nothing);
    // Another text that says the same.
    assert_eq!(file.judge(content(&format!("{ONE}\n"))), Found::Nothing);
    assert_eq!(file.judge(content(TWO)), Found::New);
    assert_eq!(file.judge(content(TWO)), Found::Nothing);
    assert!(matches!(file.judge(content("{")), Found::Wrong(_)));
    assert_eq!(file.judge(content(ONE)), Found::New);
}

#[tokio::test]
async fn what_cannot_be_taken_at_the_start_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inn.json");
    let open = |path: &Path| ConfigFile::open(path.to_owned(), CONTRACTS);
    let check = |error: Option<FileError>, expect: &str| {
        let text = error.map(|error| with_sources(&error)).unwrap_or_default();
        assert!(text.contains("inn") && text.contains(expect), "{text}");
    };
    check(open(&path).err(), "cannot be read: ");
    std::fs::write(&path, "{").unwrap();
    check(open(&path).err(), "is refused: line 1, column 1: EOF");
    std::fs::write(&path, " ".repeat(1024 * 1024 + 1)).unwrap();
    check(
        open(&path).err(),
        "it has 1048577 bytes; at most 1048576 are read",
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    check(open(&path).err(), "it is no regular file");
}
