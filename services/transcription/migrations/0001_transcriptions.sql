-- Transcriptions, the recordings that wait to be heard, and the requests that have been answered.
--
-- UUIDs are text, instants are integer milliseconds since the Unix epoch. The id of a transcription is that of its job.

CREATE TABLE transcriptions (
    id                TEXT    NOT NULL PRIMARY KEY,
    -- The version of the contract that it was asked for by.
    origin            TEXT    NOT NULL CHECK (origin IN ('v1', 'v2')),
    state             TEXT    NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    progress          REAL    NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    audio_duration_ms INTEGER,
    model_id          TEXT,
    model_sha256      TEXT,
    confidence        REAL,
    text              TEXT,
    failure_reason    TEXT,
    failure_message   TEXT,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,

    CHECK ((state = 'SUCCEEDED') = (text IS NOT NULL)),
    CHECK ((state = 'FAILED') = (failure_reason IS NOT NULL)),
    CHECK ((state = 'FAILED') = (failure_message IS NOT NULL))
) STRICT;

-- Lists run newest first, with the id to order those of the same millisecond.
CREATE INDEX transcriptions_by_age ON transcriptions (created_at, id);
CREATE INDEX transcriptions_by_state ON transcriptions (state, created_at, id);

CREATE TABLE segments (
    transcription_id TEXT    NOT NULL REFERENCES transcriptions (id),
    position         INTEGER NOT NULL,
    start_ms         INTEGER NOT NULL,
    end_ms           INTEGER NOT NULL,
    text             TEXT    NOT NULL,
    confidence       REAL,
    PRIMARY KEY (transcription_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE recordings (
    transcription_id TEXT NOT NULL PRIMARY KEY REFERENCES transcriptions (id),
    audio            BLOB,
    uri              TEXT,
    CHECK ((audio IS NULL) <> (uri IS NULL))
) STRICT;

-- A recording is kept until its transcription ends and no longer, whichever way it ends.
CREATE TRIGGER recordings_end AFTER UPDATE OF state ON transcriptions
WHEN NEW.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED') BEGIN
    DELETE FROM recordings WHERE transcription_id = NEW.id;
END;

-- What has ended does not change any more.
CREATE TRIGGER transcriptions_ended BEFORE UPDATE ON transcriptions
WHEN OLD.state IN ('SUCCEEDED', 'FAILED', 'CANCELLED') BEGIN
    SELECT RAISE(ABORT, 'a transcription that has ended cannot be changed');
END;

-- Which transcription answered which request, so that a repeat gets the same answer.
CREATE TABLE requests (
    caller           TEXT    NOT NULL,
    request_id       TEXT    NOT NULL,
    fingerprint      BLOB    NOT NULL,
    transcription_id TEXT    NOT NULL REFERENCES transcriptions (id),
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (caller, request_id)
) STRICT;
