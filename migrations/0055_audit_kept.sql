-- The record is kept as it is: entries are not changed (but for details of people who are gone, which
-- are erased) and not removed (but for those that are older than the operator keeps them).

ALTER TABLE audit_heads ADD COLUMN mac BYTES;                        -- over the whole row, by a key that is not in the database
ALTER TABLE audit_heads ADD COLUMN swept_seq BIGINT NOT NULL DEFAULT 0;  -- number of the last entry that was removed by age
ALTER TABLE audit_heads ADD COLUMN swept_digest BYTES;               -- its digest: the chain goes on from there

CREATE INDEX audit_entries_by_request ON audit_entries (chain, request_id) WHERE request_id IS NOT NULL;

ON POSTGRES CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''the record is kept as it is''; END';
ON POSTGRES CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN IF OLD.seq > COALESCE((SELECT swept_seq FROM audit_heads WHERE chain = OLD.chain), 0) THEN RAISE EXCEPTION ''the record is kept as it is''; END IF; RETURN OLD; END';
ON POSTGRES CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION audit_entries_stay();
ON POSTGRES CREATE TRIGGER audit_entries_all_stay BEFORE TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ON POSTGRES CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
  FOR EACH ROW WHEN (NEW.chain IS DISTINCT FROM OLD.chain OR NEW.seq IS DISTINCT FROM OLD.seq
    OR NEW.at IS DISTINCT FROM OLD.at OR NEW.user_id IS DISTINCT FROM OLD.user_id
    OR NEW.app_id IS DISTINCT FROM OLD.app_id OR NEW.key_id IS DISTINCT FROM OLD.key_id
    OR NEW.request_id IS DISTINCT FROM OLD.request_id OR NEW.action IS DISTINCT FROM OLD.action
    OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.target IS DISTINCT FROM OLD.target
    OR NEW.outcome IS DISTINCT FROM OLD.outcome OR NEW.reason IS DISTINCT FROM OLD.reason
    OR NEW.times IS DISTINCT FROM OLD.times OR NEW.digest IS DISTINCT FROM OLD.digest
    OR NEW.detail_digest IS DISTINCT FROM OLD.detail_digest
    OR NEW.origin_digest IS DISTINCT FROM OLD.origin_digest
    OR (NEW.detail IS NOT NULL AND NEW.detail IS DISTINCT FROM OLD.detail)
    OR (NEW.origin IS NOT NULL AND NEW.origin IS DISTINCT FROM OLD.origin))
  EXECUTE FUNCTION audit_refuse();
ON POSTGRES CREATE TRIGGER audit_heads_stay BEFORE DELETE ON audit_heads
  FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ON POSTGRES CREATE TRIGGER audit_heads_all_stay BEFORE TRUNCATE ON audit_heads
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ON POSTGRES CREATE TRIGGER audit_heads_go_on BEFORE UPDATE ON audit_heads
  FOR EACH ROW WHEN (NEW.chain IS DISTINCT FROM OLD.chain OR NEW.seq < OLD.seq OR NEW.swept_seq < OLD.swept_seq)
  EXECUTE FUNCTION audit_refuse();

ON SQLITE CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries
  WHEN OLD.seq > COALESCE((SELECT swept_seq FROM audit_heads WHERE chain = OLD.chain), 0)
  BEGIN SELECT RAISE(ABORT, 'the record is kept as it is'); END;
ON SQLITE CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries
  WHEN NEW.chain IS NOT OLD.chain OR NEW.seq IS NOT OLD.seq
    OR NEW.at IS NOT OLD.at OR NEW.user_id IS NOT OLD.user_id
    OR NEW.app_id IS NOT OLD.app_id OR NEW.key_id IS NOT OLD.key_id
    OR NEW.request_id IS NOT OLD.request_id OR NEW.action IS NOT OLD.action
    OR NEW.kind IS NOT OLD.kind OR NEW.target IS NOT OLD.target
    OR NEW.outcome IS NOT OLD.outcome OR NEW.reason IS NOT OLD.reason
    OR NEW.times IS NOT OLD.times OR NEW.digest IS NOT OLD.digest
    OR NEW.detail_digest IS NOT OLD.detail_digest
    OR NEW.origin_digest IS NOT OLD.origin_digest
    OR (NEW.detail IS NOT NULL AND NEW.detail IS NOT OLD.detail)
    OR (NEW.origin IS NOT NULL AND NEW.origin IS NOT OLD.origin)
  BEGIN SELECT RAISE(ABORT, 'the record is kept as it is'); END;
ON SQLITE CREATE TRIGGER audit_heads_stay BEFORE DELETE ON audit_heads
  BEGIN SELECT RAISE(ABORT, 'the record is kept as it is'); END;
ON SQLITE CREATE TRIGGER audit_heads_go_on BEFORE UPDATE ON audit_heads
  WHEN NEW.chain IS NOT OLD.chain OR NEW.seq < OLD.seq OR NEW.swept_seq < OLD.swept_seq
  BEGIN SELECT RAISE(ABORT, 'the record is kept as it is'); END;
