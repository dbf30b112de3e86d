-- Since when.

-- The days on which the service ran: what ended on one of them stays ended, though the clock is set back.
CREATE TABLE day_seen (
    day TEXT NOT NULL PRIMARY KEY
) STRICT;

-- When a record was closed to colleagues; unknown for those of before.
ALTER TABLE shield ADD COLUMN at INTEGER;
