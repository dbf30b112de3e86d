-- Cards that were put away beside a record, or followed (CDS Hooks 2.0, "Feedback"). A card's number is a keyed digest: nothing
-- here says of whom it was.
CREATE TABLE card_feedback (
    card TEXT NOT NULL,
    client TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (card, outcome)
) STRICT, WITHOUT ROWID;
CREATE INDEX card_feedback_by_time ON card_feedback (at);
