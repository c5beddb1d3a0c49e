-- Offices whose opinion on a case is awaited, and when a step of its process is due.
-- +goose Up
ALTER TABLE service_case ADD COLUMN step_due TEXT NOT NULL DEFAULT '';
CREATE TABLE case_opinion (
  case_id TEXT NOT NULL,
  agency  TEXT NOT NULL,
  PRIMARY KEY (case_id, agency)
);
CREATE INDEX case_opinion_agency ON case_opinion (agency);

-- +goose Down
DROP TABLE case_opinion;
ALTER TABLE service_case DROP COLUMN step_due;
