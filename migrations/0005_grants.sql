-- One row for each authorization of an app by a user, from /authorize to the last refresh.
-- The stages are those of src/oauth/grant.rs.

CREATE TABLE grants (
    id                       SEQUENCE,              -- GrantId; codes and refresh tokens begin with it
    app_id                   TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    stage                    TEXT NOT NULL CHECK (stage IN ('pending', 'approved', 'spent', 'denied')),
    request                  TEXT NOT NULL,         -- JSON of the authorization request
    browser_digest           BYTES,                 -- which browser may go on with a pending one
    user_id                  TEXT REFERENCES users (id) ON DELETE CASCADE,
    session_digest           BYTES,                 -- the session it came with, then the one it was approved in
    scope                    TEXT NOT NULL,         -- granted; empty while pending
    auth_time                BIGINT,
    amr                      TEXT NOT NULL,         -- space-delimited, RFC 8176
    code_digest              BYTES,                 -- SHA-256 of the code's secret part
    spent_at                 BIGINT,
    refresh_family_digest    BYTES,                 -- what all refresh tokens of the grant share
    refresh_digest           BYTES,                 -- the one that is good now
    refresh_previous_digest  BYTES,                 -- the one before, forgiven while its successors are unused
    refresh_expires_at       BIGINT,
    access_jti               TEXT,                  -- the last access token
    access_expires_at        BIGINT,
    access_seen              BIGINT NOT NULL CHECK (access_seen IN (0, 1)),
    revoked_at               BIGINT,
    created_at               BIGINT NOT NULL,
    expires_at               BIGINT NOT NULL,       -- end of the stage; when past, the row is swept
    -- A grant has a user and a code from the moment it is approved, and never before.
    CHECK ((stage IN ('approved', 'spent')) = (user_id IS NOT NULL)),
    CHECK ((stage IN ('approved', 'spent')) = (auth_time IS NOT NULL)),
    CHECK ((stage IN ('approved', 'spent')) = (code_digest IS NOT NULL)),
    CHECK ((stage = 'spent') = (spent_at IS NOT NULL)),
    CHECK (stage <> 'pending' OR browser_digest IS NOT NULL),
    CHECK ((refresh_digest IS NULL) = (refresh_family_digest IS NULL)),
    CHECK ((refresh_digest IS NULL) = (refresh_expires_at IS NULL)),
    CHECK ((access_jti IS NULL) = (access_expires_at IS NULL))
);

CREATE INDEX grants_by_user ON grants (user_id, session_digest) WHERE user_id IS NOT NULL;
CREATE INDEX grants_by_expiry ON grants (expires_at);
CREATE INDEX grants_pending ON grants (browser_digest, id) WHERE stage = 'pending';
CREATE INDEX grants_pending_by_age ON grants (id) WHERE stage = 'pending';

-- Access tokens that were revoked one by one, until they would have expired anyway.
CREATE TABLE revoked_tokens (
    jti         TEXT PRIMARY KEY,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX revoked_tokens_by_expiry ON revoked_tokens (expires_at);

CREATE TABLE consents (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    scope       TEXT NOT NULL,
    granted_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, app_id)
);
