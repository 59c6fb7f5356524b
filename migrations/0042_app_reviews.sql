-- Apps that people register over the API: whose they are, what they look like, how they go live.

ALTER TABLE apps ADD COLUMN disabled BIGINT NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
-- Switched off by the platform: nobody else switches it on.
ALTER TABLE apps ADD COLUMN suspended BIGINT NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1));
-- Who registered it over the API; NULL: an operator, or itself.
ALTER TABLE apps ADD COLUMN registered_by TEXT REFERENCES users (id) ON DELETE SET NULL;

CREATE INDEX apps_by_developer ON apps (registered_by);

-- One row for each app whose going live, or change while live, was asked for.
CREATE TABLE app_reviews (
    app_id        TEXT PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    state         TEXT NOT NULL
                  CHECK (state IN ('draft', 'submitted', 'approved', 'rejected')),
    version       BIGINT NOT NULL,                  -- counts up with each change
    wanted        TEXT NOT NULL,                    -- JSON: the registration that is asked for
    note          TEXT NOT NULL,                    -- what the developer says to it
    asked_by      TEXT REFERENCES users (id) ON DELETE SET NULL,
    submitted_at  BIGINT,
    decided_by    TEXT REFERENCES users (id) ON DELETE SET NULL,
    decided_at    BIGINT,
    reason        TEXT                              -- what the reviewer says to it
);

CREATE INDEX app_reviews_by_state ON app_reviews (state, app_id);
CREATE INDEX app_reviews_by_asker ON app_reviews (asked_by);
CREATE INDEX app_reviews_by_decider ON app_reviews (decided_by);

CREATE TABLE app_logos (
    app_id      TEXT PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    media_type  TEXT NOT NULL,
    digest      BYTES NOT NULL,                     -- SHA-256 of the image
    image       BYTES NOT NULL,
    created_at  BIGINT NOT NULL
);
