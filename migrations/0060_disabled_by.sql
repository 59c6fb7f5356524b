-- Who of the account switched an app off: that developer may take it up again, others may not.
ALTER TABLE apps ADD COLUMN disabled_by TEXT REFERENCES users (id) ON DELETE SET NULL;

CREATE INDEX apps_by_disabler ON apps (disabled_by);
