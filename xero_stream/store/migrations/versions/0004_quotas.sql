-- Who holds how much of an app's calls a minute, as JSON. Changed only by whoever has read this very version of it: no lock is
-- held while somebody thinks, so a frozen process keeps nobody waiting.
CREATE TABLE app_minutes (
    app     text PRIMARY KEY,
    version bigint NOT NULL,
    ledger  bytea NOT NULL
);

-- What was read from Xero, which bills it by the month.
CREATE TABLE egress (
    app       text NOT NULL,
    day       date NOT NULL,     -- UTC
    tenant_id text NOT NULL,     -- empty: of no organisation (the list of connections)
    entity    text NOT NULL,
    calls     bigint NOT NULL,
    bytes     bigint NOT NULL,   -- bodies as they came over the wire
    PRIMARY KEY (day, app, tenant_id, entity)  -- the day first: it is read by month and forgotten by day
)
