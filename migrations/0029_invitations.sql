-- People who are asked to join an account, and whose health record is whose.

CREATE TABLE invitations (
    id          TEXT PRIMARY KEY,                   -- InvitationId
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    group_id    TEXT NOT NULL,
    project_id  TEXT REFERENCES projects (id) ON DELETE CASCADE,
    patient_id  TEXT,                               -- PatientId, in the project
    email       TEXT NOT NULL,                      -- as it was typed
    email_key   TEXT NOT NULL,                      -- folded: who may accept
    language    TEXT NOT NULL,                      -- of the letter: en, de
    status      TEXT NOT NULL CHECK (status IN ('AWAITING', 'ACCEPTED', 'REJECTED', 'REVOKED')),
    letters     BIGINT NOT NULL,                    -- how many were posted
    invited_by  TEXT REFERENCES users (id) ON DELETE SET NULL,
    decided_by  TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at  BIGINT NOT NULL,
    sent_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    decided_at  BIGINT,
    FOREIGN KEY (account_id, group_id) REFERENCES account_groups (account_id, id) ON DELETE CASCADE,
    CHECK ((project_id IS NULL) = (patient_id IS NULL)),
    CHECK ((status = 'AWAITING') = (decided_at IS NULL))
);

CREATE INDEX invitations_by_account ON invitations (account_id, id);
CREATE INDEX invitations_by_address ON invitations (email_key, id);
CREATE INDEX invitations_by_group ON invitations (account_id, group_id);
CREATE INDEX invitations_by_project ON invitations (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX invitations_by_inviter ON invitations (invited_by) WHERE invited_by IS NOT NULL;
CREATE INDEX invitations_by_decider ON invitations (decided_by) WHERE decided_by IS NOT NULL;
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- Which Patients of an account's projects a user is: user.patients in policies.
CREATE TABLE patient_mappings (
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    project_id  TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    patient_id  TEXT NOT NULL,
    mapped_at   BIGINT NOT NULL,
    PRIMARY KEY (account_id, user_id, project_id, patient_id)
);

CREATE INDEX patient_mappings_by_user ON patient_mappings (user_id);
CREATE INDEX patient_mappings_by_project ON patient_mappings (project_id);
