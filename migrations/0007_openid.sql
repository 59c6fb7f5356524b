-- What OpenID Connect and its neighbours need beside the first tables.

-- Client metadata by their registered names (RFC 7591), as JSON; see src/apps/metadata.rs.
ALTER TABLE apps ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}';

-- A secret that is an HMAC key (client_secret_jwt) has to be known itself: sealed by the vault.
ALTER TABLE app_secrets ADD COLUMN sealed BYTES;

-- Standard claims of OpenID Connect Core section 5.1 beyond name and e-mail, as JSON.
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}';

-- What the grant's tokens are bound to: {"jkt": …} or {"x5t#S256": …}; NULL for bearer tokens.
ALTER TABLE grants ADD COLUMN binding TEXT;

-- Secrets that are good once: pushed requests, initial access tokens and their kin. The kind keeps
-- one from being redeemed as another.
CREATE TABLE one_time_secrets (
    id          SEQUENCE,
    kind        TEXT NOT NULL,
    digest      BYTES NOT NULL,                     -- SHA-256 of the secret part
    app_id      TEXT REFERENCES apps (id) ON DELETE CASCADE,
    data        TEXT NOT NULL,                      -- JSON
    used_at     BIGINT,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX one_time_secrets_by_expiry ON one_time_secrets (expires_at);
CREATE INDEX one_time_secrets_by_app ON one_time_secrets (app_id, kind, id);

-- Names that were seen and must not be seen again: jti of assertions and of DPoP proofs.
CREATE TABLE seen_names (
    digest      BYTES PRIMARY KEY,                  -- SHA-256 of kind, owner and name
    expires_at  BIGINT NOT NULL
);

CREATE INDEX seen_names_by_expiry ON seen_names (expires_at);
