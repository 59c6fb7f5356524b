-- The deletion of users: those who asked for it, and those who are gone.

-- Beside users.deletion_at: what the letters about it need.
CREATE TABLE deletions (
    user_id      TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    language     TEXT NOT NULL,                     -- of the letters: en, de
    asked_at     BIGINT NOT NULL,
    reminded_at  BIGINT                             -- when the letter shortly before was posted
);

CREATE INDEX users_by_deletion ON users (deletion_at) WHERE deletion_at IS NOT NULL;

-- Neither ids nor names are given a second time. Nothing here says whose they were.
CREATE TABLE gone_users (
    id_digest     BYTES PRIMARY KEY,                -- SHA-256 of the id
    username_mac  BYTES NOT NULL,                   -- MAC of the folded name
    gone_at       BIGINT NOT NULL
);

CREATE INDEX gone_users_by_name ON gone_users (username_mac);

-- Found when a user goes.
CREATE INDEX session_apps_by_user ON session_apps (user_id);
CREATE INDEX member_attributes_by_user ON member_attributes (user_id);
