-- One-time secrets of people: what their mails link to.

ALTER TABLE one_time_secrets ADD COLUMN user_id TEXT REFERENCES users (id) ON DELETE CASCADE;

CREATE INDEX one_time_secrets_by_user ON one_time_secrets (user_id, kind);
