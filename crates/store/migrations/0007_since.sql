-- Since when.

-- The latest time in the audit, which is asked at every request: where the clock was set back it is not the head's.
CREATE INDEX audit_by_time ON audit (at);

-- When a record was closed to colleagues; unknown for those of before.
ALTER TABLE shield ADD COLUMN at INTEGER;
