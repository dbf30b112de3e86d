-- What is said about a person beside their referral: how to contact them safely, concerns, their own answers, the private
-- link by which they give them, and forms that staff have not finished. `origin` is whose a row was before a merge.

-- Every version; the highest number counts.
CREATE TABLE safe_contact (
    number INTEGER PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    origin TEXT NOT NULL REFERENCES person (id),
    channel TEXT NOT NULL,
    hours TEXT NOT NULL,
    hours_words TEXT NOT NULL,
    who_may_answer TEXT NOT NULL,
    voicemail INTEGER NOT NULL CHECK (voicemail IN (0, 1)),
    name_to_say TEXT NOT NULL,
    notes TEXT NOT NULL,
    set_by TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX safe_contact_by_person ON safe_contact (person, number);

CREATE TABLE concern (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    origin TEXT NOT NULL REFERENCES person (id),
    raised_by TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    words TEXT NOT NULL,
    urgency TEXT NOT NULL,
    addressee TEXT NOT NULL,
    acknowledged_by TEXT,
    acknowledged_at INTEGER,
    acknowledged_words TEXT
) STRICT;
CREATE INDEX concern_by_person ON concern (person, raised_at);
CREATE INDEX concern_open ON concern (raised_at) WHERE acknowledged_at IS NULL;
CREATE INDEX concern_settled ON concern (acknowledged_at) WHERE acknowledged_at IS NOT NULL;

CREATE TABLE reply (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    origin TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    at INTEGER NOT NULL,
    handled_at INTEGER,
    handled_by TEXT
) STRICT;
CREATE INDEX reply_by_person ON reply (person, at);
CREATE INDEX reply_open ON reply (at) WHERE handled_at IS NULL;

-- SHA-256 of the token, a keyed digest of the code: neither can be told from here.
CREATE TABLE personal_link (
    token TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    code TEXT NOT NULL,
    tries_left INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    opens_until INTEGER NOT NULL,
    revoked_at INTEGER,
    proof TEXT,
    proof_until INTEGER
) STRICT;
CREATE INDEX personal_link_by_person ON personal_link (person);
CREATE INDEX personal_link_by_end ON personal_link (opens_until);

CREATE TABLE draft (
    staff TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id),
    form TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (staff, person, form)
) STRICT;
CREATE INDEX draft_by_time ON draft (at);
