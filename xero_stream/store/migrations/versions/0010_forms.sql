-- In which form a record was last written (one, ids, page): forms differ in what they leave out. It takes the place of raw_form, which
-- stays for the release before. Null: not written since this step.
ALTER TABLE records ADD COLUMN form text;

-- How another form shows the fields that it gives with other values (an invoice's totals without its rounding): JSON.
ALTER TABLE records ADD COLUMN shown bytea
