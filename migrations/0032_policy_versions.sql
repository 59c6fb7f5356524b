-- What policies were before, so that a change can be seen and undone.

CREATE TABLE policy_versions (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,                      -- what the policy was called then
    version     BIGINT NOT NULL,                    -- counts up from 1 for each name
    change      TEXT NOT NULL CHECK (change IN ('CREATED', 'UPDATED', 'DELETED', 'RESTORED',
                                                'RENAMED_TO', 'RENAMED_FROM')),
    document    TEXT NOT NULL,                      -- from then on; of one that went: its last
    other_name  TEXT,                               -- of a change of name
    changed_by  TEXT,                               -- UserId; NULL: the operator
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, name, version)
);

INSERT INTO policy_versions (account_id, name, version, change, document, changed_at)
SELECT account_id, name, 1, 'CREATED', document, updated_at FROM policies;
