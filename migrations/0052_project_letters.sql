-- The owner of an account hears of projects that are going to be deleted.

ALTER TABLE projects ADD COLUMN reminded_at BIGINT; -- when the letter shortly before was posted
