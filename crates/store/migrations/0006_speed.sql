-- What pages ask at 100,000 people (docs/benchmarks.md).

-- A search compares whole words, each between spaces; it reads this index and only then those whom it found.
UPDATE person SET search = ' ' || REPLACE(REPLACE(search, '-', ' '), '/', ' ') || ' ';
DROP INDEX person_by_site;
CREATE INDEX person_by_site ON person (site, search);

-- A person's page.
CREATE INDEX contact_by_person ON contact (person, contact_on);
CREATE INDEX assessment_by_person ON assessment (person, assessed_on);

-- The messages of a feed that wait for somebody.
CREATE INDEX message_waiting ON message (feed, received_at) WHERE state = 'quarantined';

-- How many people of which site each supporter has.
DROP INDEX referral_by_supporter;
CREATE INDEX referral_by_supporter ON referral (supporter, stage, site) WHERE supporter IS NOT NULL;
