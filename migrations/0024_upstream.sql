-- Providers of others, and whom of theirs we know.

CREATE TABLE providers (
    id              TEXT PRIMARY KEY,               -- ProviderId
    account_id      TEXT REFERENCES accounts (id) ON DELETE CASCADE, -- NULL: the whole server's
    title           TEXT NOT NULL,
    enabled         BIGINT NOT NULL CHECK (enabled IN (0, 1)),
    settings        TEXT NOT NULL,                  -- JSON
    secrets_sealed  BYTES,                          -- JSON, sealed by the vault
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE INDEX providers_by_account ON providers (account_id);

-- A subject belongs to its issuer: a provider that is pointed elsewhere knows nobody any more.
CREATE TABLE identities (
    provider_id  TEXT NOT NULL REFERENCES providers (id) ON DELETE CASCADE,
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    shown        TEXT NOT NULL,                     -- what its owner knows it by
    linked_at    BIGINT NOT NULL,
    used_at      BIGINT NOT NULL,
    PRIMARY KEY (provider_id, issuer, subject)
);

CREATE UNIQUE INDEX identities_by_user ON identities (user_id, provider_id, issuer);
