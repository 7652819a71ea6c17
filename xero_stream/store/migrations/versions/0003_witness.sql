-- The last record taken in: read again at the next start, it shows whether the topic is still the same one. It counts only
-- while it is the record before next_offset: the release before this one moves that on without it.
ALTER TABLE intake_offsets ADD COLUMN last_offset bigint, ADD COLUMN last_digest bytea
