-- Projects; the API also says "dataset".

CREATE TABLE projects (
    id           TEXT PRIMARY KEY,                  -- ProjectId
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    description  TEXT,
    status       TEXT NOT NULL CHECK (status IN ('ACTIVE', 'PENDING_DELETION')),
    deletion_at  BIGINT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (account_id, name),
    CHECK ((status = 'PENDING_DELETION') = (deletion_at IS NOT NULL))
);

CREATE INDEX projects_by_account ON projects (account_id, id);
