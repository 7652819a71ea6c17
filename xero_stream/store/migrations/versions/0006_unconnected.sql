-- Organisations that Xero sends events of and that nobody connected. Their records wait in dirty up to a limit; what is beyond it, or waited for
-- too long, is only counted: the first load of an organisation reads everything.
CREATE TABLE unconnected (
    tenant_id     text PRIMARY KEY,
    partition     integer NOT NULL,
    app           text,                                -- whose webhook it came by; null: noted by this step
    first_at      timestamptz NOT NULL DEFAULT now(),
    last_at       timestamptz NOT NULL DEFAULT now(),
    events        bigint NOT NULL DEFAULT 0,           -- all of them
    kept          bigint NOT NULL DEFAULT 0,           -- its rows in dirty
    dropped       bigint NOT NULL DEFAULT 0,           -- events that marked nothing
    dropped_since timestamptz,                         -- the first and the last time that one was dropped
    dropped_at    timestamptz,
    expired       bigint NOT NULL DEFAULT 0            -- rows that waited for too long
);
CREATE INDEX unconnected_by_partition ON unconnected (partition);
INSERT INTO unconnected (tenant_id, partition, first_at, last_at, events, kept)
SELECT tenant_id, min(partition), min(first_received_at), max(first_received_at), count(*), count(*) FROM dirty d
WHERE NOT EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = d.tenant_id) GROUP BY tenant_id
