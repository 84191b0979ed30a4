-- Signing keys, the assertions that were taken, and the answered rotations.
--
-- Instants are integer milliseconds since the Unix epoch.

CREATE TABLE signing_keys (
    kid         TEXT    NOT NULL PRIMARY KEY,
    x           TEXT    NOT NULL,
    -- PKCS#8 PEM; NULL once the key has retired.
    private_key TEXT,
    created_at  INTEGER NOT NULL,
    activate_at INTEGER NOT NULL,
    -- When the key leaves the key set; NULL for the newest.
    retire_at   INTEGER,

    CHECK (private_key IS NOT NULL OR retire_at IS NOT NULL)
) STRICT;

-- One key is the newest, also when two processes rotate at once.
CREATE UNIQUE INDEX signing_keys_newest ON signing_keys ((retire_at IS NULL)) WHERE retire_at IS NULL;

CREATE TABLE used_assertions (
    client       TEXT    NOT NULL,
    jti          TEXT    NOT NULL,
    forget_after INTEGER NOT NULL,

    PRIMARY KEY (client, jti)
) STRICT, WITHOUT ROWID;

CREATE INDEX used_assertions_by_end ON used_assertions (forget_after);

-- What a repeat of a request is answered with (AIP-155).
CREATE TABLE rotations (
    caller      TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    kid         TEXT    NOT NULL,
    activate_at INTEGER NOT NULL,
    retire_at   INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,

    PRIMARY KEY (caller, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX rotations_by_age ON rotations (created_at);
