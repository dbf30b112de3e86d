-- What a search finds people by, and since when.

-- The words of a person's names and numbers, folded. A search reads those that begin with its longest word.
CREATE TABLE person_word (
    site TEXT NOT NULL,
    word TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id),
    PRIMARY KEY (site, word, person)
) STRICT, WITHOUT ROWID;
-- Of those who are here, letter by letter.
INSERT INTO person_word (site, word, person)
    WITH RECURSIVE cut (site, word, person, rest) AS (
        SELECT site, SUBSTR(search, 1, 0), id, search FROM person
        UNION ALL
        SELECT site, CASE WHEN SUBSTR(rest, 1, 1) = ' ' THEN SUBSTR(rest, 1, 0) ELSE word || SUBSTR(rest, 1, 1) END, person, SUBSTR(rest, 2)
        FROM cut WHERE rest <> ''
    )
    SELECT DISTINCT site, word, person FROM cut WHERE word <> '' AND SUBSTR(rest, 1, 1) = ' ';
DROP INDEX person_by_site;

-- The days on which the service ran: what ended on one of them stays ended, though the clock is set back.
CREATE TABLE day_seen (
    day TEXT NOT NULL PRIMARY KEY
) STRICT;

-- When a record was closed to colleagues; unknown for those of before.
ALTER TABLE shield ADD COLUMN at INTEGER;
