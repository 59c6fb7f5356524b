-- What acts without a person at a browser: keys, and accounts of services.

CREATE TABLE api_keys (
    id          TEXT PRIMARY KEY,                   -- ApiKeyId: the jti of the token
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    scope       TEXT NOT NULL,                      -- space-delimited
    digest      BYTES NOT NULL,                     -- SHA-256 of the token
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX api_keys_by_user ON api_keys (account_id, user_id, id);

-- Users without a sign-in, each owned by one account.
CREATE TABLE service_accounts (
    user_id      TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    description  TEXT,
    -- The app whose own tokens (client_credentials) act for it.
    app_id       TEXT UNIQUE REFERENCES apps (id) ON DELETE SET NULL,
    disabled_at  BIGINT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (account_id, name)
);

CREATE INDEX service_accounts_by_account ON service_accounts (account_id, user_id);
