-- The least rights on PostgreSQL that each process needs.
--
-- Run it as the owner of the schema (who runs `xero-stream migrate`) with the right to create roles, connected to the database of
-- xero-stream, after the first `migrate`. It can be run again at any time; run it again after a `migrate` that made new tables.
--
--   psql "$OWNER_URL" -v ON_ERROR_STOP=1 -f deploy/postgres-roles.sql
--   psql "$OWNER_URL" -c '\password xero_processors'
--
-- The roles have no password, so nobody can log in as one before you give it one. A role belongs to the whole server: two deployments
-- on one server share these, unless you replace the names here.
--
--   process                        role               may
--   receiver                       none               not connect
--   migrate (setup)                the owner          everything
--   processors                     xero_processors    read and write rows; make and drop the days of `changes`
--   console; grants, quarantine    xero_console       read everything; connect organisations, resolve what is held, make API keys
--   your own queries, a mirror     xero_mirror        read records and changes, and nothing that helps to call Xero

BEGIN;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['xero_processors', 'xero_console', 'xero_mirror'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name);
        END IF;
    END LOOP;
    -- Without these nobody but the owner and the roles below may connect or look into the schema.
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO xero_processors, xero_console, xero_mirror', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, xero_processors, xero_console, xero_mirror;
GRANT USAGE ON SCHEMA public TO xero_processors, xero_console, xero_mirror;

-- Processors. Rows of every table; the schema's version is the owner's.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO xero_processors;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO xero_processors;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM xero_processors;
REVOKE ALL ON api_keys, audit FROM xero_processors;
-- They make a table for each day of changes and drop old ones, which only the owner of `changes` may. The schema's owner stays able to
-- migrate it as a member of the role.
GRANT xero_processors TO CURRENT_USER;
GRANT CREATE ON SCHEMA public TO xero_processors;
DO $$
DECLARE
    day regclass;
BEGIN
    FOR day IN SELECT 'changes'::regclass UNION ALL SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'changes'::regclass LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO xero_processors', day);
    END LOOP;
END $$;

-- Console and commands that people run.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO xero_console;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO xero_console;
GRANT INSERT, UPDATE, DELETE ON apps, grants, tenants, passes, entity_holds, quarantine, dirty, unconnected, deployment TO xero_console;
-- API keys are never deleted, and the audit log only grows.
GRANT INSERT, UPDATE ON api_keys TO xero_console;
GRANT INSERT ON audit TO xero_console;
-- Whoever comes first to an empty store makes its partitions; from then on they are the processors'.
GRANT INSERT ON leases, intake_offsets, positions, relay_marks TO xero_console;

-- Reading alone. Neither tokens, nor what Xero sent and we could not use (quarantine), nor what a deployment's settings are.
GRANT SELECT ON records, record_versions, changes, passes, positions, relay_marks TO xero_mirror;
GRANT SELECT (tenant_id, app, name, partition, state, customer_ref, tags, connected_at) ON tenants TO xero_mirror;
ALTER ROLE xero_mirror SET default_transaction_read_only = on;

-- Tables of later migrations: readable and writable for processors, readable for the console, until this file is run again.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO xero_processors;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO xero_processors, xero_console;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO xero_console;

COMMIT;
