-- A kind of record of one organisation that is not read for now, and why: Xero refuses it (a role or a scope is missing), or
-- its calls keep failing. Ended by a call that goes well, and by whatever a human does about it.
--   no_scope       the token lacks the scope that the kind of record needs
--   unauthorised   Xero answers 401 although the token is fresh
--   forbidden      Xero answers 403 and still lists the organisation
--   broken         our code failed before there was an answer
--   failing        its calls fail again and again; they go on at their distance, nothing is held by this row
CREATE TABLE entity_holds (
    tenant_id  text NOT NULL REFERENCES tenants ON DELETE CASCADE,
    entity     text NOT NULL,
    partition  integer NOT NULL,
    state      text NOT NULL CHECK (state IN ('no_scope', 'unauthorised', 'forbidden', 'broken', 'failing')),
    error      text NOT NULL,
    hint       text NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    not_before timestamptz NOT NULL,          -- no call for it before then
    attempts   integer NOT NULL DEFAULT 1,    -- refusals in a row
    PRIMARY KEY (tenant_id, entity)
);

-- The first of the failures in a row that `attempts` counts, and what to do about the last.
ALTER TABLE passes ADD COLUMN failing_since timestamptz, ADD COLUMN hint text;

-- How often our code failed on the record in a way that nobody foresaw: after a few times it goes into quarantine.
ALTER TABLE dirty ADD COLUMN broke integer NOT NULL DEFAULT 0;

-- What the tokens open, as last seen in them; null where that is not known. Compared with what is read whenever it changes.
ALTER TABLE grants ADD COLUMN scopes text[]
