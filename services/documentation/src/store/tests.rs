#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use sqlx::Connection as _;
use tempfile::TempDir;

use super::notes::{Filter, Page, get, get_revision, insert, list, revisions, update};
use super::page::PageToken;
use super::requests::{Answer, Fingerprint, RequestKey, find, record};
use super::*;
use scribemed_jobs::begin;

use crate::note::{FailureReason, Identity, Note, StateName};
use crate::section::{NoteType, Section, SectionKind, Sections, Sentence, Source};
use crate::time::Timestamp;

const SIGNER: &str = "emr";
const PATIENT: Uuid = Uuid::from_u128(2);

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

async fn database() -> (TempDir, SqlitePool) {
    let folder = tempfile::tempdir().unwrap();
    let pool = open(&folder.path().join("notes.db")).await.unwrap();
    (folder, pool)
}

fn identity(id: u128, created_at: i64) -> Identity {
    Identity {
        id: Uuid::from_u128(id),
        patient_id: PATIENT,
        encounter_id: Uuid::from_u128(3),
        provider_id: Uuid::from_u128(99),
        note_type: NoteType::Soap,
        transcription_id: Some(Uuid::from_u128(5)),
        created_at: at(created_at),
    }
}

fn plan(text: &str) -> Vec<Section> {
    let source = |segment: u32| Source {
        segment,
        start_ms: u64::from(segment) * 1000,
        end_ms: u64::from(segment) * 1000 + 900,
    };
    let sentence = Sentence {
        text: text.into(),
        sources: [0, 2].map(source).to_vec(),
    };
    vec![Section {
        kind: SectionKind::Plan,
        sentences: vec![sentence],
    }]
}

fn sections(text: &str) -> Sections {
    Sections::new(NoteType::Soap, plan(text)).unwrap()
}

fn draft(id: u128, created_at: i64) -> Note {
    Note::written(identity(id, created_at), sections("Rest."))
}

#[tokio::test]
async fn a_note_comes_back_as_it_was_stored_after_a_restart() {
    let (folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let mut failed = Note::generating(identity(1, 1000));
    insert(&mut conn, &failed).await.unwrap();
    let read = failed.etag();
    failed
        .fail(FailureReason::TranscriptionNotFound, at(2000))
        .unwrap();
    update(&mut conn, &failed, &read).await.unwrap();

    let mut signed = draft(2, 1000);
    insert(&mut conn, &signed).await.unwrap();
    let read = signed.etag();
    signed.sign(SIGNER, &read, at(3000)).unwrap();
    update(&mut conn, &signed, &read).await.unwrap();
    drop(conn);
    pool.close().await;

    let pool = open(&folder.path().join("notes.db")).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    assert_eq!(get(&mut conn, failed.id()).await.unwrap(), failed);
    assert_eq!(get(&mut conn, signed.id()).await.unwrap(), signed);
    let missing = get(&mut conn, Uuid::from_u128(7)).await;
    assert!(matches!(missing, Err(Error::NotFound { id }) if id == Uuid::from_u128(7)));
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    insert(&mut conn, &draft(1, 1000)).await.unwrap();
    let again = insert(&mut conn, &draft(1, 2000)).await;
    assert!(matches!(again, Err(Error::AlreadyExists { .. })));
}

#[tokio::test]
async fn of_concurrent_updates_one_wins() {
    let (_folder, pool) = database().await;
    let note = draft(1, 1000);
    let read = note.etag();
    insert(&mut pool.acquire().await.unwrap(), &note)
        .await
        .unwrap();

    let editors: Vec<_> = (0..8)
        .map(|editor| {
            let (pool, mut note, read) = (pool.clone(), note.clone(), read.clone());
            tokio::spawn(async move {
                let mut tx = begin(&pool).await?;
                let text = format!("Plan of editor {editor}.");
                note.edit(plan(&text), &read, at(2000 + editor)).unwrap();
                update(&mut tx, &note, &read).await?;
                tx.commit().await?;
                Ok::<_, Error>(note)
            })
        })
        .collect();
    let mut winners = Vec::new();
    let mut told = Vec::new();
    for editor in editors {
        match editor.await.unwrap() {
            Ok(note) => winners.push(note),
            Err(Error::EtagMismatch { current, .. }) => told.push(current),
            Err(other) => assert!(matches!(other, Error::EtagMismatch { .. }), "{other:?}"),
        }
    }
    let stored = get(&mut pool.acquire().await.unwrap(), note.id())
        .await
        .unwrap();
    assert_eq!(winners, std::slice::from_ref(&stored));
    assert_eq!(
        told,
        vec![stored.etag(); 7],
        "a loser learns the etag to go on with"
    );
}

#[tokio::test]
async fn a_signed_note_is_final() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let mut note = draft(1, 1000);
    insert(&mut conn, &note).await.unwrap();
    let read = note.etag();
    let mut late = note.clone();
    late.edit(plan("Too late."), &read, at(4000)).unwrap();
    note.sign(SIGNER, &read, at(2000)).unwrap();
    update(&mut conn, &note, &read).await.unwrap();

    let lost = update(&mut conn, &late, &read).await;
    assert!(matches!(lost, Err(Error::EtagMismatch { .. })), "{lost:?}");
    let forced = update(&mut conn, &late, &note.etag()).await;
    assert!(matches!(forced, Err(Error::Signed { .. })), "{forced:?}");
    // Not even by hand.
    for sql in [
        "UPDATE notes SET sections = '[]'",
        "DELETE FROM notes",
        "UPDATE note_revisions SET sections = '[]'",
        "DELETE FROM note_revisions",
    ] {
        assert!(sqlx::query(sql).execute(&mut *conn).await.is_err(), "{sql}");
    }
    assert_eq!(get(&mut conn, note.id()).await.unwrap(), note);
}

#[tokio::test]
async fn every_revision_is_kept() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let mut note = Note::generating(identity(1, 1000));
    insert(&mut conn, &note).await.unwrap();
    let mut expected = vec![note.clone()];
    for change in 0..3 {
        let read = note.etag();
        match change {
            0 => note.complete(sections("Drafted."), at(2000)).unwrap(),
            1 => note.edit(plan("Edited."), &read, at(3000)).unwrap(),
            _ => assert!(note.sign(SIGNER, &read, at(4000)).is_ok()),
        }
        update(&mut conn, &note, &read).await.unwrap();
        expected.push(note.clone());
    }
    assert_eq!(revisions(&mut conn, note.id()).await.unwrap(), expected);
    assert_eq!(
        get_revision(&mut conn, note.id(), 2).await.unwrap(),
        expected[1]
    );
    assert!(matches!(
        get_revision(&mut conn, note.id(), 9).await,
        Err(Error::NotFound { .. })
    ));
    assert!(
        revisions(&mut conn, Uuid::from_u128(7))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_a_rolled_back_transaction_did_is_gone() {
    let (_folder, pool) = database().await;
    let note = draft(1, 1000);
    let key = RequestKey {
        caller: "emr",
        method: "CreateNote",
        request_id: Uuid::from_u128(8),
    };
    let mut tx = begin(&pool).await.unwrap();
    insert(&mut tx, &note).await.unwrap();
    record(&mut tx, &key, &Fingerprint::of(b"a"), &note, at(1000))
        .await
        .unwrap();
    drop(tx);
    let mut conn = pool.acquire().await.unwrap();
    assert!(matches!(
        get(&mut conn, note.id()).await,
        Err(Error::NotFound { .. })
    ));
    assert!(revisions(&mut conn, note.id()).await.unwrap().is_empty());
    assert_eq!(
        find(&mut conn, &key, &Fingerprint::of(b"a")).await.unwrap(),
        None
    );
}

fn ids(page: &Page) -> Vec<u128> {
    page.notes.iter().map(|note| note.id().as_u128()).collect()
}

#[tokio::test]
async fn pages_are_stable_while_notes_come_in() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    // Several notes of one millisecond: the id orders them.
    for (id, created_at) in [(1, 100), (2, 200), (3, 200), (4, 200), (5, 300)] {
        insert(&mut conn, &draft(id, created_at)).await.unwrap();
    }
    let filter = Filter::default();
    let first = list(&mut conn, &filter, 2, None).await.unwrap();
    assert_eq!(ids(&first), [5, 4]);
    insert(&mut conn, &draft(6, 400)).await.unwrap();
    insert(&mut conn, &draft(7, 200)).await.unwrap();
    let second = list(&mut conn, &filter, 2, first.next.as_ref())
        .await
        .unwrap();
    assert_eq!(ids(&second), [3, 2]);
    let third = list(&mut conn, &filter, 2, second.next.as_ref())
        .await
        .unwrap();
    assert_eq!((ids(&third), third.next), (vec![1], None));
    let whole = list(&mut conn, &filter, 7, None).await.unwrap();
    assert_eq!(
        (ids(&whole), whole.next),
        (vec![6, 5, 7, 4, 3, 2, 1], None),
        "a full last page is the last page"
    );
}

#[tokio::test]
async fn lists_are_filtered() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let other = Uuid::from_u128(77);
    let notes = [
        Note::written(identity(1, 100), sections("a")),
        Note::written(
            Identity {
                patient_id: other,
                ..identity(2, 200)
            },
            sections("b"),
        ),
        Note::generating(Identity {
            encounter_id: other,
            ..identity(3, 300)
        }),
    ];
    for note in &notes {
        insert(&mut conn, note).await.unwrap();
    }
    let none = Filter::default();
    for (filter, expect) in [
        (none, &[3, 2, 1][..]),
        (
            Filter {
                patient_id: Some(PATIENT),
                ..none
            },
            &[3, 1],
        ),
        (
            Filter {
                patient_id: Some(other),
                ..none
            },
            &[2],
        ),
        (
            Filter {
                encounter_id: Some(other),
                ..none
            },
            &[3],
        ),
        (
            Filter {
                state: Some(StateName::Draft),
                ..none
            },
            &[2, 1],
        ),
        (
            Filter {
                patient_id: Some(PATIENT),
                state: Some(StateName::Draft),
                ..none
            },
            &[1],
        ),
        (
            Filter {
                patient_id: Some(Uuid::nil()),
                ..none
            },
            &[],
        ),
    ] {
        assert_eq!(
            ids(&list(&mut conn, &filter, 0, None).await.unwrap()),
            expect,
            "{filter:?}"
        );
    }
    let page = list(&mut conn, &none, 1, None).await.unwrap();
    let filter = Filter {
        patient_id: Some(PATIENT),
        ..none
    };
    let foreign = list(&mut conn, &filter, 1, page.next.as_ref()).await;
    assert!(matches!(foreign, Err(Error::PageToken)));
    let invented = list(&mut conn, &none, 1, Some(&PageToken::from_wire("next"))).await;
    assert!(matches!(invented, Err(Error::PageToken)));
}

#[tokio::test]
async fn a_page_holds_50_notes_unless_asked_and_200_at_most() {
    let (_folder, pool) = database().await;
    let mut tx = begin(&pool).await.unwrap();
    for id in 1..=202 {
        insert(&mut tx, &draft(id, 100)).await.unwrap();
    }
    for (asked, expect) in [(0, 50), (1, 1), (200, 200), (1000, 200)] {
        assert_eq!(
            list(&mut tx, &Filter::default(), asked, None)
                .await
                .unwrap()
                .notes
                .len(),
            expect
        );
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let (folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let mut note = draft(1, 1000);
    insert(&mut conn, &note).await.unwrap();
    let key = RequestKey {
        caller: "emr",
        method: "CreateNote",
        request_id: Uuid::from_u128(8),
    };
    let (same, other) = (Fingerprint::of(b"same"), Fingerprint::of(b"other"));
    assert_eq!(find(&mut conn, &key, &same).await.unwrap(), None);
    record(&mut conn, &key, &same, &note, at(1000))
        .await
        .unwrap();

    // The note goes on; the answer stays what it was, also after a restart.
    let first = note.clone();
    let read = note.etag();
    note.edit(plan("Edited."), &read, at(2000)).unwrap();
    update(&mut conn, &note, &read).await.unwrap();
    drop(conn);
    pool.close().await;
    let pool = open(&folder.path().join("notes.db")).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();

    let answer = find(&mut conn, &key, &same).await.unwrap();
    assert_eq!(
        answer,
        Some(Answer {
            note_id: note.id(),
            revision: 1
        })
    );
    assert_eq!(get_revision(&mut conn, note.id(), 1).await.unwrap(), first);
    assert!(matches!(
        find(&mut conn, &key, &other).await,
        Err(Error::RequestIdReused { .. })
    ));
    assert!(matches!(
        record(&mut conn, &key, &same, &note, at(3000)).await,
        Err(Error::RequestIdReused { .. })
    ));
    for elsewhere in [
        RequestKey {
            caller: "lab",
            ..key
        },
        RequestKey {
            method: "GenerateNote",
            ..key
        },
    ] {
        assert_eq!(find(&mut conn, &elsewhere, &other).await.unwrap(), None);
    }
}

#[tokio::test]
async fn of_concurrent_requests_with_one_id_one_does_the_work() {
    let (_folder, pool) = database().await;
    let callers: Vec<_> = (1..=6)
        .map(|id| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let key = RequestKey {
                    caller: "emr",
                    method: "CreateNote",
                    request_id: Uuid::from_u128(8),
                };
                let fingerprint = Fingerprint::of(b"same");
                let mut tx = begin(&pool).await?;
                if let Some(answer) = find(&mut tx, &key, &fingerprint).await? {
                    return Ok(answer.note_id);
                }
                let note = draft(id, 1000);
                insert(&mut tx, &note).await?;
                record(&mut tx, &key, &fingerprint, &note, at(1000)).await?;
                tx.commit().await?;
                Ok::<_, Error>(note.id())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for caller in callers {
        answers.push(caller.await.unwrap().unwrap());
    }
    let stored = list(
        &mut pool.acquire().await.unwrap(),
        &Filter::default(),
        0,
        None,
    )
    .await
    .unwrap();
    assert_eq!(stored.notes.len(), 1);
    assert_eq!(answers, vec![stored.notes[0].id(); 6]);
}

#[tokio::test]
async fn an_unreadable_note_is_reported_without_its_text() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    insert(&mut conn, &draft(1, 1000)).await.unwrap();
    sqlx::query(r#"UPDATE notes SET revision = 2, sections = '["chest pain"]'"#)
        .execute(&mut *conn)
        .await
        .unwrap();
    let error = get(&mut conn, Uuid::from_u128(1)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { column: "sections" }));
    assert!(!format!("{error} {error:?}").contains("chest"));
}

#[tokio::test]
async fn the_database_is_opened_for_clinical_data() {
    let (_folder, pool) = database().await;
    let mut conn = pool.acquire().await.unwrap();
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    let foreign_keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert_eq!((journal.as_str(), synchronous, foreign_keys), ("wal", 2, 1));
    conn.ping().await.unwrap();
}
