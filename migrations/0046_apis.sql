-- APIs of others whose requests our gate decides on.

CREATE TABLE apis (
    id          TEXT PRIMARY KEY,                   -- ApiId; its scopes begin with it
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    identifier  TEXT NOT NULL,                      -- the audience of its tokens
    definition  TEXT NOT NULL,                      -- JSON
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE UNIQUE INDEX apis_by_identifier ON apis (identifier);
CREATE INDEX apis_by_account ON apis (account_id, id);
