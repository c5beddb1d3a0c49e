-- What stands for a case in the list of a draw, and how a draw was announced when its list was fixed.
-- +goose Up
ALTER TABLE service_case ADD COLUMN entry TEXT NOT NULL DEFAULT '';
ALTER TABLE draw ADD COLUMN until TEXT NOT NULL DEFAULT '';
ALTER TABLE draw ADD COLUMN source TEXT NOT NULL DEFAULT '{}';

-- +goose Down
ALTER TABLE draw DROP COLUMN source;
ALTER TABLE draw DROP COLUMN until;
ALTER TABLE service_case DROP COLUMN entry;
