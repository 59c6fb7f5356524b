-- Tenants: accounts, groups, members, policies.

CREATE TABLE accounts (
    id           TEXT PRIMARY KEY,                  -- AccountId, chosen
    name         TEXT NOT NULL,
    description  TEXT,
    owner        TEXT,                              -- e-mail address
    type         TEXT NOT NULL CHECK (type IN ('FREE', 'PAID', 'ENTERPRISE')),
    status       TEXT NOT NULL CHECK (status IN ('ACTIVE', 'PENDING_DELETION')),
    deletion_at  BIGINT,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    CHECK ((status = 'PENDING_DELETION') = (deletion_at IS NOT NULL))
);

CREATE TABLE account_groups (
    id           TEXT PRIMARY KEY,                  -- GroupId
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    description  TEXT,
    type         TEXT NOT NULL CHECK (type IN ('OPEN', 'CLOSED')),
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    UNIQUE (account_id, id),
    UNIQUE (account_id, name)
);

CREATE TABLE group_members (
    account_id  TEXT NOT NULL,
    group_id    TEXT NOT NULL,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    joined_at   BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id),
    -- The account is that of the group: nobody is a member of one account by a group of another.
    FOREIGN KEY (account_id, group_id) REFERENCES account_groups (account_id, id) ON DELETE CASCADE
);

CREATE INDEX group_members_by_user ON group_members (user_id, account_id);

-- What an account knows of a user: user.customAttributes in policies.
CREATE TABLE member_attributes (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    attributes  TEXT NOT NULL,                      -- JSON object
    PRIMARY KEY (account_id, user_id)
);

CREATE TABLE policies (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,                      -- the id in the API; may contain spaces
    document    TEXT NOT NULL,                      -- JSON {"rules": …}, validated when written
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
);
