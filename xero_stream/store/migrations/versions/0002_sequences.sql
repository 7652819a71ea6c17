-- The numbers that deliveries brought, as each partition saw them: written with a poll's marks, taken away by whoever does
-- the sums seconds later. No key, so that no partition's intake ever waits for another's.
CREATE TABLE delivered_ranges (
    app         text NOT NULL,
    first       bigint NOT NULL,
    last        bigint NOT NULL,
    received_at timestamptz NOT NULL,
    noted_at    timestamptz NOT NULL DEFAULT now()
);

-- An app's account of them: all up to `settled` came or was given up, `islands` came beyond a gap that is still open.
CREATE TABLE sequences (
    app        text PRIMARY KEY,
    settled    bigint NOT NULL,
    settled_at timestamptz NOT NULL,
    islands    bytea NOT NULL DEFAULT '[]',  -- JSON: [first, last, noted_at, received_at] in epoch seconds
    lost_since timestamptz,                  -- what changed since may have been missed, and was not read again yet
    healed_at  timestamptz                   -- when it was read again last
);
