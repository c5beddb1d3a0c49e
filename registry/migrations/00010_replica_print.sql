-- How a table was made and published when its changes began to be carried over: where that isn't known, all of it is read again.
-- +goose Up
ALTER TABLE replica ADD COLUMN print TEXT NOT NULL DEFAULT '';
ALTER TABLE replica DROP COLUMN relation;

-- +goose Down
ALTER TABLE replica ADD COLUMN relation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE replica DROP COLUMN print;
