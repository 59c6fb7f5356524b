-- What accounts use, by day (days since 1970, UTC) and app.

CREATE TABLE usage_calls (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day         BIGINT NOT NULL,
    app         TEXT NOT NULL,                      -- AppId; empty: by a key
    calls       BIGINT NOT NULL,                    -- requests that the gate let pass
    micros      BIGINT NOT NULL,                    -- how long answering them took, together
    PRIMARY KEY (account_id, day, app)
);

-- Who was active: ids only.
CREATE TABLE usage_users (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day         BIGINT NOT NULL,
    app         TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    PRIMARY KEY (account_id, day, app, user_id)
);

-- What lay in the account at the end of a day; of today, when it was last looked at.
CREATE TABLE usage_storage (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    day         BIGINT NOT NULL,
    bytes       BIGINT NOT NULL,
    PRIMARY KEY (account_id, day)
);
