-- Who may sign in with what. The people themselves, their roles and contracts stand in the configuration.

CREATE TABLE account (
    staff TEXT NOT NULL PRIMARY KEY,
    -- Argon2id in PHC form.
    password TEXT,
    -- The secret of the one-time codes, in base 32.
    totp TEXT,
    -- The newest time step whose code was taken: none is taken twice.
    totp_step INTEGER,
    suspended_at INTEGER
) STRICT;

-- An account elsewhere, by what never is given to anybody else: issuer and subject of OpenID Connect.
CREATE TABLE identity (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    staff TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT;
CREATE INDEX identity_by_staff ON identity (staff);

CREATE TABLE passkey (
    id TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    body TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX passkey_by_staff ON passkey (staff);

-- Of invitations and sessions only the SHA-256 of the token is kept: whoever reads this table can use none.
CREATE TABLE invitation (
    digest TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX invitation_by_staff ON invitation (staff) WHERE used_at IS NULL;

CREATE TABLE session (
    digest TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    method TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ended_at INTEGER,
    why_ended TEXT
) STRICT;
CREATE INDEX session_by_staff ON session (staff, created_at);
CREATE INDEX session_by_age ON session (created_at);
