-- What the answers of any order of imports must agree on: when each row was last shown, and what each file vouched for.

ALTER TABLE landed_calls ADD COLUMN observed_at TIMESTAMPTZ;
ALTER TABLE landed_records ADD COLUMN observed_at TIMESTAMPTZ;
UPDATE landed_calls SET observed_at = s.observed_at FROM sources AS s WHERE landed_calls.source_id = s.source_id;
UPDATE landed_records SET observed_at = s.observed_at FROM sources AS s WHERE landed_records.source_id = s.source_id;

ALTER TABLE sources ADD COLUMN covered_hour TIMESTAMPTZ;
ALTER TABLE sources ADD COLUMN is_settled BOOLEAN;
ALTER TABLE sources ADD COLUMN window_from TIMESTAMPTZ;
ALTER TABLE sources ADD COLUMN window_to TIMESTAMPTZ;
