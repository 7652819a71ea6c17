-- Part of every ce_id. Drawn anew when the store is found to be older than Kafka: it gives out positions again that it gave out
-- before.
ALTER TABLE positions ADD COLUMN incarnation uuid NOT NULL DEFAULT gen_random_uuid();

-- An event said that the record was created: its first change is a creation, whenever it can be read.
ALTER TABLE dirty ADD COLUMN created boolean NOT NULL DEFAULT false;
ALTER TABLE quarantine ADD COLUMN created boolean NOT NULL DEFAULT false;
