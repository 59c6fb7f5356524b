-- What has to be delivered to others, written with the act that causes it: an outbox.

CREATE TABLE jobs (
    id          SEQUENCE,
    kind        TEXT NOT NULL,                      -- who delivers it
    payload     TEXT NOT NULL,                      -- JSON; secrets in it are sealed
    attempts    BIGINT NOT NULL,                    -- how often it was taken; also whose lease counts
    due_at      BIGINT NOT NULL,                    -- the next attempt; while one runs, the end of its lease
    created_at  BIGINT NOT NULL,
    dead_at     BIGINT                              -- when it was given up
);

CREATE INDEX jobs_by_due ON jobs (due_at) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE dead_at IS NOT NULL;
