-- Times are microseconds since 1970 UTC; days are ISO dates; yes and no are 1 and 0; ids carry their prefix.

CREATE TABLE person (
    id TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL,
    nhs_number TEXT,
    nhs_verified INTEGER NOT NULL CHECK (nhs_verified IN (0, 1)),
    given TEXT,
    family TEXT,
    birth_date TEXT,
    telephone TEXT,
    died INTEGER NOT NULL CHECK (died IN (0, 1)),
    died_on TEXT,
    diagnosis TEXT NOT NULL,
    diagnosed_on TEXT,
    last_attended TEXT,
    last_visit TEXT,
    previous_attended TEXT,
    cancelled_visit TEXT,
    withdrawn_result TEXT,
    objection_scope TEXT,
    objection_reason TEXT,
    objection_at INTEGER,
    merged_into TEXT REFERENCES person (id),
    -- Names and local numbers folded for searching; filled by the program.
    search TEXT NOT NULL
) STRICT;
CREATE INDEX person_by_nhs_number ON person (site, nhs_number) WHERE nhs_number IS NOT NULL;
CREATE INDEX person_by_merge ON person (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE person_identifier (
    site TEXT NOT NULL,
    system TEXT NOT NULL,
    value TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id),
    PRIMARY KEY (site, system, value)
) STRICT;
CREATE INDEX person_identifier_by_person ON person_identifier (person);

CREATE TABLE referral (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    origin TEXT NOT NULL REFERENCES person (id),
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    stage TEXT NOT NULL,
    supporter TEXT,
    until_on TEXT,
    stage_reason TEXT,
    resume_stage TEXT,
    notice_by TEXT,
    notice_on TEXT,
    notice_how TEXT,
    consents_to_outside INTEGER NOT NULL CHECK (consents_to_outside IN (0, 1)),
    released_on TEXT,
    due_on TEXT,
    attempts INTEGER NOT NULL,
    engaged_on TEXT,
    assessed_on TEXT,
    next_assessment_on TEXT,
    ended_on TEXT
) STRICT;
CREATE INDEX referral_by_person ON referral (person);
CREATE INDEX referral_by_stage ON referral (site, stage, raised_at);
CREATE INDEX referral_by_supporter ON referral (supporter, stage) WHERE supporter IS NOT NULL;
CREATE INDEX referral_by_release ON referral (site, released_on) WHERE released_on IS NOT NULL;
-- The rule "one live referral for one person", held even against two processes at once.
CREATE UNIQUE INDEX referral_one_live ON referral (person) WHERE stage <> 'ended';

CREATE TABLE referral_trigger (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    origin TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    happened_on TEXT NOT NULL,
    at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    evidence TEXT,
    message TEXT,
    outcome TEXT NOT NULL,
    referral TEXT,
    question TEXT,
    exclusion TEXT
) STRICT;
CREATE INDEX referral_trigger_by_person ON referral_trigger (person);
CREATE INDEX referral_trigger_by_day ON referral_trigger (kind, happened_on);
CREATE INDEX referral_trigger_by_referral ON referral_trigger (referral) WHERE referral IS NOT NULL;

CREATE TABLE question (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    origin TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    other TEXT,
    referral TEXT,
    answered INTEGER NOT NULL CHECK (answered IN (0, 1)),
    answer TEXT,
    answered_by TEXT,
    answered_at INTEGER
) STRICT;
CREATE INDEX question_by_person ON question (person);
CREATE INDEX question_open ON question (raised_at) WHERE answered = 0;

CREATE TABLE contact (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    referral TEXT NOT NULL REFERENCES referral (id),
    supporter TEXT NOT NULL,
    contact_on TEXT NOT NULL,
    way TEXT NOT NULL,
    outcome TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX contact_by_referral ON contact (referral, contact_on);
CREATE INDEX contact_by_day ON contact (contact_on, outcome);

CREATE TABLE assessment (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    referral TEXT NOT NULL REFERENCES referral (id),
    supporter TEXT NOT NULL,
    assessed_on TEXT NOT NULL,
    instrument TEXT NOT NULL,
    version TEXT NOT NULL
) STRICT;
CREATE INDEX assessment_by_referral ON assessment (referral, assessed_on);

CREATE TABLE assessment_answer (
    assessment TEXT NOT NULL REFERENCES assessment (id),
    position INTEGER NOT NULL,
    link_id TEXT NOT NULL,
    answer INTEGER NOT NULL,
    PRIMARY KEY (assessment, position)
) STRICT;

CREATE TABLE assessment_score (
    assessment TEXT NOT NULL REFERENCES assessment (id),
    position INTEGER NOT NULL,
    scale TEXT NOT NULL,
    value INTEGER,
    band TEXT,
    PRIMARY KEY (assessment, position)
) STRICT;

-- Append-only: no statement updates or deletes a line.
CREATE TABLE journal (
    id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor_kind TEXT NOT NULL,
    actor TEXT,
    actor_role TEXT,
    cause_kind TEXT NOT NULL,
    cause TEXT,
    person TEXT NOT NULL,
    referral TEXT,
    what TEXT NOT NULL,
    stage TEXT,
    detail TEXT
) STRICT;
CREATE INDEX journal_by_person ON journal (person, at, id);
CREATE INDEX journal_by_referral ON journal (referral, at, id) WHERE referral IS NOT NULL;

CREATE TABLE outgoing (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    referral TEXT NOT NULL REFERENCES referral (id),
    not_before INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'cancelled', 'handed')),
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outgoing_queued ON outgoing (not_before) WHERE state = 'queued';
CREATE INDEX outgoing_by_person ON outgoing (person, state);

-- What matters of a message, for duplicates and for "why". The text itself is kept only while it is set aside.
CREATE TABLE message (
    id TEXT NOT NULL PRIMARY KEY,
    feed TEXT NOT NULL,
    sender TEXT NOT NULL,
    control_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('applied', 'quarantined', 'replayed', 'expired')),
    answer TEXT NOT NULL,
    raw BLOB,
    keep_until INTEGER
) STRICT;
CREATE UNIQUE INDEX message_once ON message (feed, sender, control_id, digest);
CREATE INDEX message_set_aside ON message (received_at) WHERE state = 'quarantined';

CREATE TABLE message_problem (
    message TEXT NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    location TEXT NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (message, position)
) STRICT;

-- All that a message about somebody else leaves behind.
CREATE TABLE feed_count (
    feed TEXT NOT NULL,
    hour INTEGER NOT NULL,
    kind TEXT NOT NULL,
    fate TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (feed, hour, kind, fate)
) STRICT;

CREATE TABLE feed_last (
    feed TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE merge_record (
    id TEXT NOT NULL PRIMARY KEY,
    survivor TEXT NOT NULL REFERENCES person (id),
    retired TEXT NOT NULL REFERENCES person (id),
    at INTEGER NOT NULL,
    undone INTEGER NOT NULL CHECK (undone IN (0, 1)),
    objection_scope TEXT,
    objection_reason TEXT,
    objection_at INTEGER,
    after_scope TEXT,
    after_reason TEXT,
    after_at INTEGER,
    diagnosis TEXT NOT NULL,
    diagnosed_on TEXT,
    died INTEGER NOT NULL,
    died_on TEXT,
    last_attended TEXT
) STRICT;

CREATE TABLE merge_referral (
    merge_record TEXT NOT NULL REFERENCES merge_record (id),
    referral TEXT NOT NULL,
    before_status TEXT NOT NULL,
    after_status TEXT NOT NULL,
    PRIMARY KEY (merge_record, referral)
) STRICT;

CREATE TABLE merge_trigger (
    merge_record TEXT NOT NULL REFERENCES merge_record (id),
    referral_trigger TEXT NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    outcome_id TEXT,
    PRIMARY KEY (merge_record, referral_trigger)
) STRICT;

CREATE TABLE import_run (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    site TEXT NOT NULL,
    at INTEGER NOT NULL,
    digest TEXT NOT NULL,
    records INTEGER NOT NULL,
    undone_at INTEGER
) STRICT;

-- What an import added, in order, so that it can be taken away again.
CREATE TABLE import_item (
    import_run TEXT NOT NULL REFERENCES import_run (id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (import_run, position)
) STRICT;
