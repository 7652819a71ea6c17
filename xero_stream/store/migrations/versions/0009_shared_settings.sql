-- The settings that must be the same in all processes, as text by name (of secrets a check value). A process that differs
-- refuses to start; `xero-stream deployment set` changes them.
ALTER TABLE deployment ADD COLUMN settings jsonb NOT NULL DEFAULT '{}';

-- Events of entities that are known and not enabled: they are not read, and this says how many there were.
CREATE TABLE ignored_events (
    partition integer NOT NULL,
    entity    text NOT NULL,
    events    bigint NOT NULL DEFAULT 0,
    first_at  timestamptz NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (partition, entity)
)
