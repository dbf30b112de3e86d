-- A person's own answers that a hospital's system brought (FHIR R4 QuestionnaireResponse): one row an assessment.
CREATE TABLE response (
    id TEXT NOT NULL PRIMARY KEY REFERENCES assessment (id),
    client TEXT NOT NULL,
    -- The request with which they came, and the number that the system gave them.
    request TEXT NOT NULL REFERENCES request (id),
    system TEXT NOT NULL,
    value TEXT NOT NULL,
    -- As it was taken, as JSON.
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (client, system, value)
) STRICT;
