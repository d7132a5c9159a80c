-- Whether a record came in another spelling than Microsoft's API and exports have, and was put into theirs.

ALTER TABLE landed_calls ADD COLUMN is_retold BOOLEAN DEFAULT false;
ALTER TABLE landed_records ADD COLUMN is_retold BOOLEAN DEFAULT false;
