-- Second factors of people besides their codes: recovery codes, passkeys and security keys.

CREATE TABLE recovery_codes (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest      BYTES NOT NULL,                     -- MAC over user and code: nothing to guess at without our key
    created_at  BIGINT NOT NULL,
    used_at     BIGINT,
    PRIMARY KEY (user_id, digest)
);

CREATE TABLE passkeys (
    id             SEQUENCE,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id  BYTES NOT NULL UNIQUE,           -- of one user, for ever
    name           TEXT NOT NULL,                   -- what its owner calls it
    checks_user    BIGINT NOT NULL CHECK (checks_user IN (0, 1)), -- PIN or finger: may stand for the password, too
    sign_count     BIGINT NOT NULL,                 -- WebAuthn section 6.1.1; never goes back
    credential     TEXT NOT NULL,                   -- webauthn-rs' record, JSON: public key and policy
    created_at     BIGINT NOT NULL,
    last_used_at   BIGINT
);

CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- Members of such an account sign in with two factors.
ALTER TABLE accounts ADD COLUMN requires_second_factor BIGINT NOT NULL DEFAULT 0 CHECK (requires_second_factor IN (0, 1));
