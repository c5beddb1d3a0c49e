-- Caseworkers who are given cases, and who stands in for them while they are away.
-- +goose Up
CREATE TABLE colleague (
  account TEXT NOT NULL PRIMARY KEY,
  name    TEXT NOT NULL,
  agency  TEXT NOT NULL,
  takes   BOOLEAN NOT NULL,
  away    TEXT NOT NULL,
  back    TEXT NOT NULL,
  cover   TEXT NOT NULL,
  given   TEXT NOT NULL
);
CREATE INDEX colleague_agency ON colleague (agency);

-- +goose Down
DROP TABLE colleague;
