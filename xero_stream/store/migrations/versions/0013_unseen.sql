-- Calls of one hour that were answered 404 for a record that no read ever gave: they have a budget.
ALTER TABLE tenants ADD COLUMN unseen_hour timestamptz, ADD COLUMN unseen_calls integer NOT NULL DEFAULT 0
