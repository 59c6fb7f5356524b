-- Signing keys. Private halves are sealed with the server's encryption key (src/keys/vault.rs).
-- Times are microseconds since 1970, UTC, here and everywhere.

CREATE TABLE signing_keys (
    kid             TEXT PRIMARY KEY,               -- RFC 7638 thumbprint of the public half
    algorithm       TEXT NOT NULL CHECK (algorithm IN ('RS256', 'PS256', 'ES256', 'EdDSA')),
    public_jwk      TEXT NOT NULL,                  -- JSON, RFC 7517
    private_sealed  BYTES NOT NULL,
    stage           TEXT NOT NULL CHECK (stage IN ('next', 'current', 'retired')),
    created_at      BIGINT NOT NULL,
    current_at      BIGINT,                         -- when it began to sign
    retired_at      BIGINT,                         -- when it stopped to sign
    CHECK ((stage = 'next') = (current_at IS NULL)),
    CHECK ((stage = 'retired') = (retired_at IS NOT NULL))
);

-- One key of each algorithm signs, and one is announced to follow it.
CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys (algorithm) WHERE stage = 'current';
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (algorithm) WHERE stage = 'next';
