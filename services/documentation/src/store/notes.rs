//! Notes and their revisions.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::page::{Cursor, PageToken, page_size};
use super::row::{Changing, Row};
use super::{Error, is_taken};
use crate::note::{Etag, Note, StateName};

/// Stores a new note.
///
/// # Errors
///
/// [`Error::AlreadyExists`] when its id is taken.
pub async fn insert(conn: &mut SqliteConnection, note: &Note) -> Result<(), Error> {
    let identity = note.identity();
    let row = Changing::of(note)?;
    sqlx::query(
        "INSERT INTO notes (id, patient_id, encounter_id, provider_id, note_type, transcription_id, created_at,
             state, failure, signed_by, signed_at, signed_etag, sections, revision, etag, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(identity.id.to_string())
    .bind(identity.patient_id.to_string())
    .bind(identity.encounter_id.to_string())
    .bind(identity.provider_id.to_string())
    .bind(identity.note_type.name())
    .bind(identity.transcription_id.map(|id| id.to_string()))
    .bind(identity.created_at.as_millis())
    .bind(row.state)
    .bind(row.failure)
    .bind(row.signed_by)
    .bind(row.signed_at)
    .bind(row.signed_etag)
    .bind(row.sections)
    .bind(row.revision)
    .bind(row.etag)
    .bind(row.updated_at)
    .execute(conn)
    .await
    .map_err(|error| if is_taken(&error) { Error::AlreadyExists { id: note.id() } } else { Error::Database(error) })?;
    Ok(())
}

/// The note as it is.
///
/// # Errors
///
/// [`Error::NotFound`].
pub async fn get(conn: &mut SqliteConnection, id: Uuid) -> Result<Note, Error> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM notes WHERE id = ?")
        .bind(id.to_string())
        .fetch_optional(conn)
        .await?;
    row.ok_or(Error::NotFound { id })?.try_into()
}

/// Saves a note that was changed, if nobody else has saved it in between: `read` is the etag that the note had before
/// the change. The previous revision stays in the history.
///
/// # Errors
///
/// [`Error::EtagMismatch`] when somebody has, with the note's etag as it is now; [`Error::Signed`] when the stored note
/// is signed; [`Error::NotFound`].
pub async fn update(conn: &mut SqliteConnection, note: &Note, read: &Etag) -> Result<(), Error> {
    let row = Changing::of(note)?;
    let done = sqlx::query(
        "UPDATE notes
         SET state = ?, failure = ?, signed_by = ?, signed_at = ?, signed_etag = ?, sections = ?, revision = ?,
             etag = ?, updated_at = ?
         WHERE id = ? AND etag = ? AND state <> 'SIGNED'",
    )
    .bind(row.state)
    .bind(row.failure)
    .bind(row.signed_by)
    .bind(row.signed_at)
    .bind(row.signed_etag)
    .bind(row.sections)
    .bind(row.revision)
    .bind(row.etag)
    .bind(row.updated_at)
    .bind(note.id().to_string())
    .bind(read.as_str())
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(());
    }
    let stored = get(conn, note.id()).await?;
    let current = stored.etag();
    if current == *read {
        Err(Error::Signed { id: note.id() })
    } else {
        Err(Error::EtagMismatch {
            id: note.id(),
            current,
        })
    }
}

/// The note as it was at `revision`.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such note or no such revision of it.
pub async fn get_revision(
    conn: &mut SqliteConnection,
    id: Uuid,
    revision: u32,
) -> Result<Note, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT n.id, n.patient_id, n.encounter_id, n.provider_id, n.note_type, n.transcription_id, n.created_at,
                r.state, r.failure, r.signed_by, r.signed_at, r.signed_etag, r.sections, r.revision, r.updated_at
         FROM note_revisions r JOIN notes n ON n.id = r.note_id
         WHERE r.note_id = ? AND r.revision = ?",
    )
    .bind(id.to_string())
    .bind(i64::from(revision))
    .fetch_optional(conn)
    .await?;
    row.ok_or(Error::NotFound { id })?.try_into()
}

/// Every revision of a note, the first one first; empty when there is no such note.
///
/// # Errors
///
/// [`Error::Database`] and [`Error::Corrupt`] only.
pub async fn revisions(conn: &mut SqliteConnection, id: Uuid) -> Result<Vec<Note>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT n.id, n.patient_id, n.encounter_id, n.provider_id, n.note_type, n.transcription_id, n.created_at,
                r.state, r.failure, r.signed_by, r.signed_at, r.signed_etag, r.sections, r.revision, r.updated_at
         FROM note_revisions r JOIN notes n ON n.id = r.note_id
         WHERE r.note_id = ?
         ORDER BY r.revision",
    )
    .bind(id.to_string())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Note::try_from).collect()
}

/// Which notes to list. A filter that is `None` lets every note through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// About this patient.
    pub patient_id: Option<Uuid>,
    /// Of this encounter.
    pub encounter_id: Option<Uuid>,
    /// In this state.
    pub state: Option<StateName>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The notes, newest first.
    pub notes: Vec<Note>,
    /// What to ask with for the next page; `None` when there is none.
    pub next: Option<PageToken>,
}

/// Lists notes, newest first.
///
/// `size` is the most that a page holds: 0 means 50, above 200 means 200. `token` is the last page's
/// [`Page::next`]. A note that is stored while somebody pages through neither shows up twice nor pushes another one
/// out; a note that changes state meanwhile is on the page if it matches when the page is read.
///
/// # Errors
///
/// [`Error::PageToken`] when `token` is not ours or comes from a list with another filter.
pub async fn list(
    conn: &mut SqliteConnection,
    filter: &Filter,
    size: u32,
    token: Option<&PageToken>,
) -> Result<Page, Error> {
    let size = page_size(size);
    let after = token
        .map(|token| Cursor::decode(token, filter))
        .transpose()?;
    let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM notes WHERE 1 = 1");
    if let Some(id) = filter.patient_id {
        query.push(" AND patient_id = ").push_bind(id.to_string());
    }
    if let Some(id) = filter.encounter_id {
        query.push(" AND encounter_id = ").push_bind(id.to_string());
    }
    if let Some(state) = filter.state {
        query.push(" AND state = ").push_bind(state.name());
    }
    if let Some(cursor) = after {
        query
            .push(" AND (created_at, id) < (")
            .push_bind(cursor.created_at.as_millis());
        query.push(", ").push_bind(cursor.id.to_string()).push(")");
    }
    // One more than the page holds tells whether there is another page.
    query
        .push(" ORDER BY created_at DESC, id DESC LIMIT ")
        .push_bind(i64::from(size) + 1);

    let rows: Vec<Row> = query.build_query_as().fetch_all(conn).await?;
    let more = rows.len() > size as usize;
    let notes: Vec<Note> = rows
        .into_iter()
        .take(size as usize)
        .map(Note::try_from)
        .collect::<Result<_, _>>()?;
    let next = notes
        .last()
        .filter(|_| more)
        .map(|last| Cursor::of(last).encode(filter));
    Ok(Page { notes, next })
}
