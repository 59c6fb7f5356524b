-- What was done, by whom, to what: appended, never changed. Each account has a chain of its own, in
-- which every entry's digest covers the one before. No foreign keys: entries outlive what they name.

CREATE TABLE audit_heads (
    chain   TEXT PRIMARY KEY,                       -- AccountId; empty: what belongs to no account
    seq     BIGINT NOT NULL,                        -- number of the last entry, from 1 on
    digest  BYTES NOT NULL                          -- digest of the last entry
);

CREATE TABLE audit_entries (
    chain          TEXT NOT NULL,
    seq            BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    user_id        TEXT,
    app_id         TEXT,
    key_id         TEXT,
    request_id     TEXT,
    action         TEXT NOT NULL CHECK (action IN ('C', 'R', 'U', 'D', 'E')),
    kind           TEXT NOT NULL,                   -- what the target is
    target         TEXT NOT NULL,
    outcome        TEXT NOT NULL CHECK (outcome IN ('success', 'refused', 'failed')),
    reason         TEXT,
    times          BIGINT NOT NULL,                 -- how often it happened so; 1 but for refusals
    detail         TEXT,                            -- JSON {salt, before, after}; NULL when erased
    detail_digest  BYTES,                           -- SHA-256 of detail: stays when that is erased
    origin         TEXT,                            -- JSON {salt, ip}; NULL when erased
    origin_digest  BYTES,
    digest         BYTES NOT NULL,
    PRIMARY KEY (chain, seq)
);

CREATE INDEX audit_entries_by_time ON audit_entries (chain, at);
CREATE INDEX audit_entries_by_user ON audit_entries (chain, user_id, seq);
CREATE INDEX audit_entries_by_kind ON audit_entries (chain, kind, target, seq);
CREATE INDEX audit_entries_of_user ON audit_entries (user_id) WHERE origin IS NOT NULL;
CREATE INDEX audit_entries_about ON audit_entries (kind, target) WHERE detail IS NOT NULL;
