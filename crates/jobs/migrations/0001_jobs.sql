-- Times are integer milliseconds since the Unix epoch, ids are UUID text.
CREATE TABLE jobs (
    id              TEXT    NOT NULL PRIMARY KEY,
    queue           TEXT    NOT NULL,
    state           TEXT    NOT NULL CHECK (state IN ('ready', 'leased', 'done', 'dead', 'cancelled')),
    payload         TEXT    NOT NULL,
    idempotency_key TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    max_attempts    INTEGER NOT NULL CHECK (max_attempts > 0),
    -- When a worker may take the job: the earliest start of a ready job, the end of the lease of a leased one.
    due_at          INTEGER NOT NULL,
    -- The fencing token: grows with every claim, so that no two leases of a job share one.
    lease_token     INTEGER NOT NULL DEFAULT 0,
    -- For operators; never holds clinical content.
    last_error      TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (queue, idempotency_key)
);

-- What the claim reads: only unfinished jobs, in the order in which they are taken.
CREATE INDEX jobs_due ON jobs (queue, due_at, id) WHERE state IN ('ready', 'leased');
