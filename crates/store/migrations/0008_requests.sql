-- What hospitals' systems asked for, over FHIR or by an order in a message, how far each has come, and what of that was sent
-- back.

-- One row a request; its id is that of the trigger that it raised.
CREATE TABLE request (
    id TEXT NOT NULL PRIMARY KEY REFERENCES referral_trigger (id),
    -- The system or feed that asked, by its key, and the number that it gave.
    client TEXT NOT NULL,
    site TEXT NOT NULL,
    system TEXT NOT NULL,
    value TEXT NOT NULL,
    -- What was taken of the resource (FHIR R4 ServiceRequest) or of the order that it sent, as JSON.
    body TEXT NOT NULL,
    UNIQUE (client, system, value)
) STRICT;

-- Append-only: a row each time that what whoever asked is told has changed.
CREATE TABLE request_version (
    position INTEGER PRIMARY KEY,
    request TEXT NOT NULL REFERENCES request (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    task TEXT NOT NULL,
    business TEXT NOT NULL,
    UNIQUE (request, version)
) STRICT;
CREATE INDEX request_version_by_time ON request_version (at);

-- One row for each version that is sent back to a hospital's record, by the version's position. The answer is its receipt.
CREATE TABLE sending (
    position INTEGER NOT NULL PRIMARY KEY REFERENCES request_version (position),
    request TEXT NOT NULL REFERENCES request (id),
    feed TEXT NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    -- Why a person must look, and the number of the record's answer.
    parked TEXT,
    receipt TEXT
) STRICT;
CREATE INDEX sending_open ON sending (feed, position) WHERE state IN ('waiting', 'parked');
CREATE INDEX sending_by_request ON sending (request);
