-- What a case may be given once for: an index of the household or child that a fact says.
-- +goose Up
ALTER TABLE service_case ADD COLUMN once_key TEXT NOT NULL DEFAULT '';
CREATE INDEX service_case_once ON service_case (project, service, once_key);

-- +goose Down
ALTER TABLE service_case DROP COLUMN once_key;
