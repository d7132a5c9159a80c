-- Whether the user said when a listing was taken: the file's own time never overrules that.

ALTER TABLE sources ADD COLUMN has_said_time BOOLEAN;
UPDATE sources SET has_said_time = false;
