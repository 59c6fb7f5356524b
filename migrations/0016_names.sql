-- What people sign in with: names and addresses that they proved to receive mail at, in one space,
-- so that nobody's name can be somebody else's address.
CREATE TABLE sign_in_names (
    key      TEXT PRIMARY KEY,                     -- folded, as users.username_key
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX sign_in_names_by_user ON sign_in_names (user_id);

INSERT INTO sign_in_names (key, user_id) SELECT username_key, id FROM users;

-- Of several users who have an address, the one who was there first keeps it to sign in with.
INSERT INTO sign_in_names (key, user_id)
SELECT LOWER(email), MIN(id) FROM users WHERE email_verified = 1 AND email IS NOT NULL
 GROUP BY LOWER(email)
    ON CONFLICT (key) DO NOTHING;

-- One-time secrets for an address whose owner has no user yet: a MAC of its folded form.
ALTER TABLE one_time_secrets ADD COLUMN subject BYTES;

CREATE INDEX one_time_secrets_by_subject ON one_time_secrets (subject, kind);

-- SHA-256 of the hash that an operator's file gave: it is imported once, not again and again.
ALTER TABLE passwords ADD COLUMN imported BYTES;
