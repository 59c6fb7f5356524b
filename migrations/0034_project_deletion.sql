-- Projects whose grace period is over are found without looking at others.

CREATE INDEX projects_by_deletion ON projects (deletion_at) WHERE deletion_at IS NOT NULL;
