-- What access depends on beside the configuration: marks of staff, shields, renewals, break-glass.

-- Keyed digests by which somebody's own record is recognised. They are kept for everybody who works here, and say
-- nothing without the key; the two tables cannot be joined, so that not even the database tells whose record is shielded.
CREATE TABLE staff_mark (
    staff TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (staff, mark)
) STRICT;

CREATE TABLE shield_mark (
    mark TEXT NOT NULL PRIMARY KEY
) STRICT;

CREATE TABLE shield (
    person TEXT NOT NULL PRIMARY KEY REFERENCES person (id)
) STRICT;

-- What was renewed; the latest line of an item counts, then the configuration.
CREATE TABLE credential (
    staff TEXT NOT NULL,
    item TEXT NOT NULL,
    until_on TEXT NOT NULL,
    recorded_by TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (staff, item, at)
) STRICT;

CREATE TABLE break_glass (
    id TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    site TEXT NOT NULL,
    person TEXT REFERENCES person (id),
    message TEXT REFERENCES message (id),
    reason TEXT NOT NULL,
    words TEXT NOT NULL,
    at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    reviewed_by TEXT,
    reviewed_at INTEGER,
    -- `justified` or `not-justified`, with a note.
    finding TEXT,
    review TEXT
) STRICT;
CREATE INDEX break_glass_by_staff ON break_glass (staff, until_at);
CREATE INDEX break_glass_by_time ON break_glass (site, at);

CREATE INDEX break_glass_to_review ON break_glass (site) WHERE reviewed_at IS NULL;

-- The day that a supporter and a person agreed on for their next contact.
CREATE TABLE planned_contact (
    referral TEXT NOT NULL PRIMARY KEY REFERENCES referral (id),
    planned_on TEXT NOT NULL,
    way TEXT NOT NULL
) STRICT;

-- Forms that were carried out, so that one sent twice is done once. Forgotten after some days.
CREATE TABLE form_once (
    once TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX form_once_by_time ON form_once (at);

-- What somebody did, for whoever asks.
CREATE INDEX journal_by_actor ON journal (actor, at, id) WHERE actor IS NOT NULL;
-- Lists of those who were released, and of one supporter's people, in the order of what is due.
CREATE INDEX referral_by_due ON referral (site, due_on) WHERE due_on IS NOT NULL AND engaged_on IS NULL;
CREATE INDEX referral_by_assessment ON referral (site, next_assessment_on) WHERE next_assessment_on IS NOT NULL;
CREATE INDEX person_by_site ON person (site);
-- Whoever asks who saw somebody's record names the person by a number, or by family name and day of birth.
CREATE INDEX person_identifier_by_value ON person_identifier (value, site);
CREATE INDEX person_by_birth ON person (birth_date) WHERE birth_date IS NOT NULL;
