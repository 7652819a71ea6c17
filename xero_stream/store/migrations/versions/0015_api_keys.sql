-- Keys of programs that call the console. The secret part is stored as its SHA-256 only: it has 256 random bits, so there is nothing
-- that a slow hash would protect. Rows stay after the end of a key: the audit log names them.
CREATE TABLE api_keys (
    key_id       text PRIMARY KEY,     -- the public part of the key
    name         text NOT NULL,        -- for people
    digest       bytea NOT NULL,
    scopes       text[] NOT NULL,
    tenant_ids   text[],               -- null: every organisation
    customer_ref text,                 -- null: those of every customer
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    expires_at   timestamptz,          -- null: never
    revoked_at   timestamptz,
    last_used_at timestamptz           -- within a minute
);

-- Who changed what, when. Rows are only added; the console's role can't change them.
CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    actor      text NOT NULL,  -- "key KEY_ID" or "USER@HOST"
    action     text NOT NULL,  -- "api-key.create"
    subject    text NOT NULL,  -- what it concerns: an id
    request_id text,           -- of the HTTP request
    before     jsonb,          -- null: it did not exist
    after      jsonb           -- null: it no longer exists
)
