-- What every account begins with, who made it, and how it ends.

-- The groups that are there from the beginning; they are never deleted.
ALTER TABLE account_groups ADD COLUMN purpose TEXT CHECK (purpose IN ('administrators', 'users', 'subjects'));
CREATE UNIQUE INDEX account_groups_by_purpose ON account_groups (account_id, purpose) WHERE purpose IS NOT NULL;

ALTER TABLE accounts ADD COLUMN products TEXT NOT NULL DEFAULT '[]'; -- JSON array
ALTER TABLE accounts ADD COLUMN created_by TEXT;    -- UserId of whoever made it through the API; may be gone
CREATE INDEX accounts_by_creator ON accounts (created_by) WHERE created_by IS NOT NULL;
CREATE INDEX accounts_by_deletion ON accounts (deletion_at) WHERE deletion_at IS NOT NULL;

-- Beside accounts.deletion_at: what the letters about it need.
CREATE TABLE account_deletions (
    account_id   TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    asked_at     BIGINT NOT NULL,
    reminded_at  BIGINT                             -- when the letter shortly before was posted
);

-- An id is never given a second time: apps, tokens and services of others name it.
CREATE TABLE gone_accounts (
    id       TEXT PRIMARY KEY,
    gone_at  BIGINT NOT NULL
);
