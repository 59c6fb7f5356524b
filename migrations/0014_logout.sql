-- Signing out, and who has to hear of it.

-- Whatever the user signed in to or granted before this instant is void.
ALTER TABLE users ADD COLUMN signed_out_at BIGINT;

-- Apps that got an ID token in a session and whose grant was swept since: they are told, too, when
-- the session ends.
CREATE TABLE session_apps (
    session_digest  BYTES NOT NULL,
    app_id          TEXT NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at      BIGINT NOT NULL,                -- the session has ended by itself by then
    PRIMARY KEY (session_digest, app_id)
);

CREATE INDEX session_apps_by_expiry ON session_apps (expires_at);
