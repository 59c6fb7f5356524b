-- The members of one account are found without looking at others.

CREATE INDEX group_members_by_account ON group_members (account_id, user_id, group_id);
