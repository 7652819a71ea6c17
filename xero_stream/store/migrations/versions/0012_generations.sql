-- Raised whenever a pass begins anew: a page that was asked for before does not move it.
ALTER TABLE passes ADD COLUMN generation bigint NOT NULL DEFAULT 0
