#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use super::*;

const MODEL: &[u8] = b"lmgg and the rest";

fn from_path(source: &Path, dest: &Path) -> Result<PathBuf> {
    run(&Args {
        path: Some(source.to_owned()),
        dest: Some(dest.to_owned()),
        ..Args::default()
    })
}

#[test]
fn a_model_given_by_path_is_copied_and_its_hash_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let (source, dest) = (
        folder.path().join("mine.bin"),
        folder.path().join("models/model.bin"),
    );
    fs::write(&source, MODEL).unwrap();
    from_path(&source, &dest).unwrap();
    assert_eq!(fs::read(&dest).unwrap(), MODEL);
    let record = fs::read_to_string(folder.path().join("models/model.bin.sha256")).unwrap();
    assert_eq!(
        record,
        format!("{}  model.bin\n", place::hash(&source).unwrap())
    );
    assert!(in_place(&dest).unwrap());
}

#[test]
fn a_file_that_is_no_model_is_refused_and_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (source, dest) = (
        folder.path().join("notes.txt"),
        folder.path().join("model.bin"),
    );
    fs::write(&dest, MODEL).unwrap();
    for content in ["", "lmg", "not a model"] {
        fs::write(&source, content).unwrap();
        let error = format!("{:#}", from_path(&source, &dest).unwrap_err());
        assert!(
            error.contains("notes.txt") && error.contains("it is not a ggml model"),
            "{error}"
        );
    }
    assert_eq!(fs::read(&dest).unwrap(), MODEL);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = from_path(
        &folder.path().join("absent.bin"),
        &folder.path().join("model.bin"),
    )
    .unwrap_err();
    assert!(format!("{error:#}").contains("absent.bin"), "{error:#}");
}

#[test]
fn damage_after_the_fact_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("model.bin");
    assert!(!in_place(&dest).unwrap());
    fs::write(&dest, MODEL).unwrap();
    assert!(
        in_place(&dest).unwrap(),
        "a model that the user put there is taken"
    );
    fs::write(&dest, b"lmgg and the re").unwrap();
    assert!(!in_place(&dest).unwrap());
}

#[test]
fn a_download_with_another_hash_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dest = folder.path().join("model.bin");
    let draft = place::Draft::new(&dest).unwrap();
    fs::write(draft.path(), MODEL).unwrap();
    let error = draft.finish(Some(hub::SHA256)).unwrap_err().to_string();
    assert!(
        error.contains("its sha256 is") && error.contains(hub::SHA256),
        "{error}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
