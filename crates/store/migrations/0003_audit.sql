-- Who looked at what. Append-only: no statement of the program updates or deletes a line, and each line's code proves
-- the one before it, so that whoever changes one with the database's own tools is found out by `alongside audit verify`.
-- The numbers have no gaps; the program gives them.

CREATE TABLE audit (
    seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('staff', 'person', 'feed', 'clock', 'operator')),
    actor TEXT,
    role TEXT,
    action TEXT NOT NULL,
    purpose TEXT NOT NULL,
    site TEXT,
    outcome TEXT NOT NULL CHECK (outcome IN ('allowed', 'refused')),
    -- A code, never free text.
    detail TEXT,
    -- How many lines of audit_subject belong to this one.
    subjects INTEGER NOT NULL,
    -- HMAC-SHA256 in hexadecimal, over the line before, this line and its subjects.
    mac TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_actor ON audit (actor, seq) WHERE actor IS NOT NULL;
CREATE INDEX audit_by_actor_and_time ON audit (actor, at) WHERE actor IS NOT NULL;
CREATE INDEX audit_by_action ON audit (action, seq);
CREATE INDEX audit_refused ON audit (seq) WHERE outcome = 'refused';

-- The people whom a line is about. Without a reference to person: a line outlives whom it is about.
CREATE TABLE audit_subject (
    seq INTEGER NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (seq, person)
) STRICT;
CREATE INDEX audit_subject_by_person ON audit_subject (person, seq);
