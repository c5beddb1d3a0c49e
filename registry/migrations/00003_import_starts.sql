-- How often an import was started without getting on: a file that brings the program down must not do so at every start.
-- +goose Up
ALTER TABLE import_run ADD COLUMN starts BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE import_run DROP COLUMN starts;
