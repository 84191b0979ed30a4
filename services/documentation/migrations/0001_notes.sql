-- Notes, every revision of them, and the requests that have been answered.
--
-- UUIDs are text, instants are integer milliseconds since the Unix epoch, sections are JSON.

CREATE TABLE notes (
    id               TEXT    NOT NULL PRIMARY KEY,
    patient_id       TEXT    NOT NULL,
    encounter_id     TEXT    NOT NULL,
    provider_id      TEXT    NOT NULL,
    note_type        TEXT    NOT NULL CHECK (note_type IN ('SOAP', 'PROGRESS', 'DISCHARGE')),
    transcription_id TEXT,
    created_at       INTEGER NOT NULL,

    state            TEXT    NOT NULL CHECK (state IN ('GENERATING', 'DRAFT', 'SIGNED', 'FAILED')),
    failure          TEXT,
    signed_by        TEXT,
    signed_at        INTEGER,
    signed_etag      TEXT,
    sections         TEXT    NOT NULL,
    revision         INTEGER NOT NULL CHECK (revision >= 1),
    etag             TEXT    NOT NULL,
    updated_at       INTEGER NOT NULL,

    CHECK ((state = 'FAILED') = (failure IS NOT NULL)),
    CHECK ((state = 'SIGNED') = (signed_by IS NOT NULL)),
    CHECK ((state = 'SIGNED') = (signed_at IS NOT NULL)),
    CHECK ((state = 'SIGNED') = (signed_etag IS NOT NULL))
) STRICT;

-- Lists run newest first, with the id to order notes of the same millisecond.
CREATE INDEX notes_by_age ON notes (created_at, id);
CREATE INDEX notes_by_patient ON notes (patient_id, created_at, id);
CREATE INDEX notes_by_encounter ON notes (encounter_id, created_at, id);

-- Every revision that was ever saved. The triggers write it in the statement that changes the note, so that neither
-- can be there without the other.
CREATE TABLE note_revisions (
    note_id     TEXT    NOT NULL REFERENCES notes (id),
    revision    INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    failure     TEXT,
    signed_by   TEXT,
    signed_at   INTEGER,
    signed_etag TEXT,
    sections    TEXT    NOT NULL,
    etag        TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (note_id, revision)
) STRICT;

CREATE TRIGGER notes_inserted AFTER INSERT ON notes BEGIN
    INSERT INTO note_revisions
    VALUES (NEW.id, NEW.revision, NEW.state, NEW.failure, NEW.signed_by, NEW.signed_at, NEW.signed_etag, NEW.sections,
            NEW.etag, NEW.updated_at);
END;

CREATE TRIGGER notes_updated AFTER UPDATE ON notes BEGIN
    INSERT INTO note_revisions
    VALUES (NEW.id, NEW.revision, NEW.state, NEW.failure, NEW.signed_by, NEW.signed_at, NEW.signed_etag, NEW.sections,
            NEW.etag, NEW.updated_at);
END;

-- A second line behind the domain, which refuses these first.
CREATE TRIGGER notes_signed BEFORE UPDATE ON notes WHEN OLD.state = 'SIGNED' BEGIN
    SELECT RAISE(ABORT, 'a signed note cannot be changed');
END;
CREATE TRIGGER notes_kept BEFORE DELETE ON notes BEGIN
    SELECT RAISE(ABORT, 'a note cannot be deleted');
END;
CREATE TRIGGER note_revisions_unchanged BEFORE UPDATE ON note_revisions BEGIN
    SELECT RAISE(ABORT, 'a revision cannot be changed');
END;
CREATE TRIGGER note_revisions_kept BEFORE DELETE ON note_revisions BEGIN
    SELECT RAISE(ABORT, 'a revision cannot be deleted');
END;

-- Which revision answered which request, so that a repeat gets the same answer.
CREATE TABLE requests (
    caller      TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    note_id     TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (caller, method, request_id),
    FOREIGN KEY (note_id, revision) REFERENCES note_revisions (note_id, revision)
) STRICT;

-- The health check writes here, to see that it can.
CREATE TABLE health (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    checked_at INTEGER NOT NULL
) STRICT;
