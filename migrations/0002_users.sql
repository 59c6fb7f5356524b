-- People, their credentials, their sessions.

CREATE TABLE users (
    id              TEXT PRIMARY KEY,               -- UserId
    username        TEXT NOT NULL,                  -- as typed
    username_key    TEXT NOT NULL UNIQUE,           -- folded: what sign-in compares
    email           TEXT,
    email_verified  BIGINT NOT NULL CHECK (email_verified IN (0, 1)),
    name            TEXT,
    given_name      TEXT,
    family_name     TEXT,
    attributes      TEXT NOT NULL,                  -- JSON object, for custom claims
    status          TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    deletion_at     BIGINT,                         -- when the grace period ends, if deletion was asked for
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE TABLE passwords (
    user_id     TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    phc         TEXT NOT NULL,                      -- $argon2id$v=19$m=…,t=…,p=…$salt$hash
    changed_at  BIGINT NOT NULL
);

CREATE TABLE totp_factors (
    user_id        TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret_sealed  BYTES NOT NULL,
    last_step      BIGINT NOT NULL,                 -- RFC 6238 time step last accepted; never goes back
    created_at     BIGINT NOT NULL
);

CREATE TABLE sessions (
    id_digest     BYTES PRIMARY KEY,                -- SHA-256 of the cookie's id
    user_id       TEXT REFERENCES users (id) ON DELETE CASCADE,
    data          TEXT NOT NULL,                    -- JSON of tower-sessions' record
    created_at    BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Failed guesses, counted by bucket: a user, an address, a user on a known device.
CREATE TABLE throttle (
    bucket      BYTES PRIMARY KEY,                  -- SHA-256 of kind and value: no names, no addresses
    failures    BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);

CREATE INDEX throttle_by_age ON throttle (updated_at);
