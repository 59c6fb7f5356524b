-- Accounts that keep an app of another account out, whatever its allow-list says.
CREATE TABLE app_blocks (
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (app_id, account_id)
);

CREATE INDEX app_blocks_by_account ON app_blocks (account_id);

-- The last version of a review that was taken back: versions are never counted twice.
ALTER TABLE apps ADD COLUMN review_version BIGINT NOT NULL DEFAULT 0;
