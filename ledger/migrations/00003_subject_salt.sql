-- What the hash of a block of subjects is salted with, so that who has a receipt can't find by trying who the others were. Older blocks have none.
-- +goose Up
ALTER TABLE log_subjects ADD COLUMN salt BYTEA NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE log_subjects DROP COLUMN salt;
