-- One row: which deployment this store belongs to. The store id goes into every ce_id and into the relay's offsets, so a
-- store put in another's place is noticed; partition count and prefix are fixed at first start.
CREATE TABLE deployment (
    only_row     boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    store_id     uuid NOT NULL DEFAULT gen_random_uuid(),
    topic_prefix text NOT NULL,
    partitions   integer NOT NULL CHECK (partitions > 0),
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE apps (
    app       text PRIMARY KEY,
    client_id text,
    tier      text NOT NULL,
    seen_at   timestamptz NOT NULL DEFAULT now()
);

-- A Xero user's consent: it owns a token set. Tokens are Fernet tokens, never plain.
--   active          usable
--   needs_reauth    Xero answered invalid_grant: a human must connect again
CREATE TABLE grants (
    grant_id          uuid PRIMARY KEY,
    app               text NOT NULL REFERENCES apps,
    kind              text NOT NULL CHECK (kind IN ('authorization_code', 'client_credentials')),
    state             text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'needs_reauth')),
    access_token      bytea,
    refresh_token     bytea,
    previous_token    bytea,       -- may be tried again for 30 minutes after a lost answer
    refreshed_at      timestamptz,
    expires_at        timestamptz,
    version           bigint NOT NULL DEFAULT 0,
    auth_event_id     text,
    created_at        timestamptz NOT NULL DEFAULT now()
);

-- An organisation. connected: read and published; needs_reauth: its grant is dead; disconnected: Xero says so.
CREATE TABLE tenants (
    tenant_id       text PRIMARY KEY,
    app             text NOT NULL REFERENCES apps,
    grant_id        uuid NOT NULL REFERENCES grants,
    connection_id   text,
    name            text NOT NULL DEFAULT '',
    partition       integer NOT NULL,
    state           text NOT NULL DEFAULT 'connected' CHECK (state IN ('connected', 'needs_reauth', 'disconnected')),
    customer_ref    text,
    tags            jsonb NOT NULL DEFAULT '{}',
    connected_at    timestamptz NOT NULL DEFAULT now(),
    parked_until    timestamptz,   -- a day limit or an offline organisation: no call before then, also after a restart
    parked_reason   text,
    day_remaining   integer,       -- what Xero last said
    day_seen_at     timestamptz
);
CREATE INDEX tenants_by_partition ON tenants (partition);

-- Who owns a partition. Every writer names its epoch; a new owner raises it in all four tables, which waits for open
-- transactions of the old one and turns away all later ones. Four rows, because four tasks lock one each.
CREATE TABLE leases (
    partition   integer PRIMARY KEY,
    epoch       bigint NOT NULL DEFAULT 0,
    owner       text,
    acquired_at timestamptz,
    released    boolean NOT NULL DEFAULT true
);
CREATE TABLE intake_offsets (
    partition   integer PRIMARY KEY,
    epoch       bigint NOT NULL DEFAULT 0,
    next_offset bigint,         -- of webhook-events; null: from the beginning
    received_at timestamptz     -- of the newest event taken in: where to catch up from if Kafka lost the rest
);
CREATE TABLE positions (
    partition integer PRIMARY KEY,
    epoch     bigint NOT NULL DEFAULT 0,
    position  bigint NOT NULL DEFAULT 0,   -- the last one given out
    heads     bytea NOT NULL DEFAULT '{}'  -- JSON: topic -> last position in it, for `previous`
);
CREATE TABLE relay_marks (
    partition integer PRIMARY KEY,
    epoch     bigint NOT NULL DEFAULT 0,
    position  bigint NOT NULL DEFAULT 0,   -- the last one known to be on Kafka
    marked_at timestamptz NOT NULL DEFAULT now()
);

-- A record that Xero said changed and we have not yet seen changed. marks comes from a sequence: a read that was sent when
-- the sequence stood at n settles only rows with marks <= n, so nothing that came while it was under way is lost.
--   any     any way of reading will do
--   ids     a pass did not bring it: ask for it by id
--   alone   an IDs= answer did not have it: only a single GET proves absence
CREATE SEQUENCE dirty_marks;
CREATE TABLE dirty (
    tenant_id         text NOT NULL,
    entity            text NOT NULL,
    record_id         text NOT NULL,
    partition         integer NOT NULL,
    event_at          timestamptz NOT NULL,
    first_received_at timestamptz NOT NULL,
    marks             bigint NOT NULL DEFAULT nextval('dirty_marks'),
    deliveries        text[] NOT NULL DEFAULT '{}',
    traceparent       text,
    not_before        timestamptz NOT NULL DEFAULT to_timestamp(0),
    attempts          integer NOT NULL DEFAULT 0,
    equal_reads       integer NOT NULL DEFAULT 0,
    mode              text NOT NULL DEFAULT 'any' CHECK (mode IN ('any', 'ids', 'alone')),
    PRIMARY KEY (tenant_id, entity, record_id)
);
CREATE INDEX dirty_due ON dirty (partition, tenant_id, entity, not_before);

-- The latest state of each record: the body is the unified record's JSON, byte for byte what was published.
CREATE TABLE records (
    tenant_id   text NOT NULL,
    entity      text NOT NULL,
    record_id   text NOT NULL,
    partition   integer NOT NULL,
    position    bigint NOT NULL,      -- of its last change; 0: never published
    gone        text,                 -- deletion reason of a tombstone
    status      text,
    version_at  timestamptz,          -- V: Xero's UpdatedDateUTC
    read_at     timestamptz NOT NULL, -- S: Xero's clock when the read was sent
    body        bytea,
    raw         bytea,
    raw_form    text,                 -- which kind of read gave raw: they differ in what they carry
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, entity, record_id)
);

CREATE TABLE record_versions (
    tenant_id   text NOT NULL,
    entity      text NOT NULL,
    record_id   text NOT NULL,
    position    bigint NOT NULL,
    op          text NOT NULL,
    version_at  timestamptz,
    recorded_at timestamptz NOT NULL,
    body        bytea,
    PRIMARY KEY (tenant_id, entity, record_id, position)
);

-- The outbox and the feed: final bytes, in order. A day is a partition: retention drops it whole, and the default one
-- catches a day nobody made in time.
CREATE TABLE changes (
    partition   integer NOT NULL,
    position    bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    topic       text NOT NULL,
    tenant_id   text NOT NULL,
    entity      text NOT NULL,
    record_id   text NOT NULL,
    op          text NOT NULL,
    key         bytea NOT NULL,
    value       bytea NOT NULL,
    headers     bytea NOT NULL,        -- JSON object, in order
    record      bytea,                 -- value on records.<entity>; null: a tombstone
    size        integer NOT NULL,      -- bytes of it all, to size a Kafka transaction
    PRIMARY KEY (partition, position, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE changes_default PARTITION OF changes DEFAULT;

-- A pass reads everything of an entity since a moment: the load of a tenant that connects, or a catch-up.
CREATE TABLE passes (
    tenant_id   text NOT NULL REFERENCES tenants ON DELETE CASCADE,
    entity      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('backfill', 'catch_up')),
    partition   integer NOT NULL,
    since       timestamptz,           -- where it began; null: everything
    place       bytea,                 -- JSON: where the next request starts (keyset); null: at its beginning
    seen        bigint NOT NULL DEFAULT 0,
    total       bigint,
    not_before  timestamptz NOT NULL DEFAULT to_timestamp(0),
    attempts    integer NOT NULL DEFAULT 0,
    error       text,
    started_at  timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, entity, kind)
);
CREATE INDEX passes_open ON passes (partition, tenant_id) WHERE finished_at IS NULL;

-- Every call to Xero of the last minutes, written before it is sent: whoever takes a partition over knows what is left
-- of a tenant's minute and which slots may still be busy.
CREATE TABLE calls (
    tenant_id   text NOT NULL,
    call_id     bigint NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, call_id)
);

-- What could not be parsed or applied, with its bytes.
--   open       waits for a human or for a later event of the same record
--   retrying   was sent round again
--   resolved   a later read was applied
CREATE TABLE quarantine (
    id           uuid PRIMARY KEY,
    partition    integer NOT NULL,
    tenant_id    text,
    entity       text,
    record_id    text,
    stage        text NOT NULL,
    reason       text NOT NULL,
    error        text NOT NULL,
    attempts     integer NOT NULL DEFAULT 1,
    source       text NOT NULL,
    key          bytea,
    value        bytea NOT NULL,
    traceparent  text,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retrying', 'resolved')),
    first_at     timestamptz NOT NULL DEFAULT now(),
    last_at      timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX quarantine_unpublished ON quarantine (partition) WHERE published_at IS NULL;
CREATE INDEX quarantine_by_record ON quarantine (tenant_id, entity, record_id) WHERE state <> 'resolved';
CREATE INDEX quarantine_by_time ON quarantine (last_at DESC);
