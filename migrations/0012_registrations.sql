-- Apps that were registered over HTTP (RFC 7591): who may manage them, and where they came from.

CREATE TABLE registrations (
    app_id        TEXT PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    token_digest  BYTES NOT NULL,                   -- SHA-256 of the registration access token
    source        BYTES,                            -- SHA-256 of the address; NULL: with a token
    created_at    BIGINT NOT NULL
);

CREATE INDEX registrations_by_source ON registrations (source, created_at);
