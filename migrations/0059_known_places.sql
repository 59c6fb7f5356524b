-- From where users signed in at apps without our pages, which keep no cookie: an app, a program, a
-- system and a network, as a MAC. Who signs in from another one is told.
CREATE TABLE known_places (
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    place    BYTES NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (user_id, place)
);
