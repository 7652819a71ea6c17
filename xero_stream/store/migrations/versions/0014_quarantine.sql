-- The app that an entry counts for: each has a limit. Null: no app is known.
ALTER TABLE quarantine ADD COLUMN app text;
UPDATE quarantine q SET app = t.app FROM tenants t WHERE t.tenant_id = q.tenant_id;

-- What is resolved needs no bytes any more, once the dead letter has them.
UPDATE quarantine SET value = '' WHERE state = 'resolved' AND published_at IS NOT NULL
