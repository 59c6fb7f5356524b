-- Requests that wait for their user somewhere else: the device grant (RFC 8628) and CIBA. The app
-- asks for the outcome again and again with a number and a secret; approval makes a grant.
CREATE TABLE waiting_requests (
    id                SEQUENCE,              -- the device code or auth_req_id begins with it
    kind              TEXT NOT NULL CHECK (kind IN ('device', 'ciba')),
    app_id            TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    secret_digest     BYTES NOT NULL,        -- SHA-256 of the secret part
    user_code_digest  BYTES,                 -- MAC of what the user types, for a device
    user_id           TEXT REFERENCES users (id) ON DELETE CASCADE,  -- who is asked, for CIBA
    request           TEXT NOT NULL,         -- JSON of what is asked
    stage             TEXT NOT NULL CHECK (stage IN ('pending', 'approved', 'denied')),
    grant_id          BIGINT,                -- what the approval made
    interval_seconds  BIGINT NOT NULL,       -- the app asks no faster; grows
    polled_at         BIGINT,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    CHECK ((stage = 'approved') = (grant_id IS NOT NULL)),
    CHECK ((kind = 'device') = (user_code_digest IS NOT NULL)),
    CHECK ((kind = 'ciba') = (user_id IS NOT NULL))
);

CREATE UNIQUE INDEX waiting_by_code ON waiting_requests (user_code_digest)
    WHERE user_code_digest IS NOT NULL;
CREATE INDEX waiting_by_user ON waiting_requests (user_id, id) WHERE stage = 'pending';
CREATE INDEX waiting_by_app ON waiting_requests (app_id, id);
CREATE INDEX waiting_by_expiry ON waiting_requests (expires_at);
