-- Raised by whatever a human does for an organisation (another grant, a retry): whoever works for it looks at it anew, and
-- ends its waits.
ALTER TABLE tenants ADD COLUMN roused bigint NOT NULL DEFAULT 0;

-- Why Xero refuses the app itself, since when, and what to do about it; null while it takes the app.
ALTER TABLE apps ADD COLUMN trouble text, ADD COLUMN trouble_hint text, ADD COLUMN trouble_since timestamptz
