-- Registered apps. Lists are JSON arrays; every value was parsed by its Rust type when written.

CREATE TABLE apps (
    id                     TEXT PRIMARY KEY,        -- AppId: the client_id
    account_id             TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    title                  TEXT NOT NULL,
    description            TEXT,
    icon_url               TEXT,
    url                    TEXT,
    status                 TEXT NOT NULL CHECK (status IN ('developing', 'live')),
    type                   TEXT NOT NULL CHECK (type IN ('public', 'confidential')),
    allowed_scopes         TEXT NOT NULL,           -- space-delimited, RFC 6749 section 3.3
    default_scopes         TEXT NOT NULL,
    allowed_accounts       TEXT,                    -- JSON array; NULL: every account
    callback_urls          TEXT NOT NULL,           -- JSON array
    logout_urls            TEXT NOT NULL,           -- JSON array
    grant_types            TEXT NOT NULL,           -- JSON array
    require_pkce           BIGINT NOT NULL CHECK (require_pkce IN (0, 1)),
    access_token_seconds   BIGINT NOT NULL CHECK (access_token_seconds > 0),
    refresh_token_seconds  BIGINT NOT NULL CHECK (refresh_token_seconds > 0),
    rotate_refresh_tokens  BIGINT NOT NULL CHECK (rotate_refresh_tokens IN (0, 1)),
    access_token_algorithm TEXT NOT NULL,
    id_token_algorithm     TEXT NOT NULL,
    custom_claims          TEXT NOT NULL,           -- JSON array
    created_at             BIGINT NOT NULL,
    updated_at             BIGINT NOT NULL
);

CREATE INDEX apps_by_account ON apps (account_id, id);

CREATE TABLE app_secrets (
    id          SEQUENCE,
    app_id      TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    digest      BYTES NOT NULL,                     -- SHA-256 of the secret
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT                              -- NULL: until it is rotated away
);

CREATE INDEX app_secrets_by_app ON app_secrets (app_id);
