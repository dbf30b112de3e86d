-- What hospitals' systems asked for over FHIR, and how far each has come.

-- One row a request; its id is that of the trigger that it raised.
CREATE TABLE request (
    id TEXT NOT NULL PRIMARY KEY REFERENCES referral_trigger (id),
    -- The system that asked, by its key, and the number that it gave.
    client TEXT NOT NULL,
    site TEXT NOT NULL,
    system TEXT NOT NULL,
    value TEXT NOT NULL,
    -- What was taken of the resource that it sent (FHIR R4 ServiceRequest, JSON).
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
