-- Who cut an agency off, and who connected it again.
-- +goose Up
CREATE TABLE cut_off_event (
  id     BIGSERIAL PRIMARY KEY,
  agency TEXT NOT NULL,
  at     TEXT NOT NULL,
  actor  TEXT NOT NULL,
  off    BOOLEAN NOT NULL,
  note   TEXT NOT NULL
);
CREATE INDEX cut_off_event_of ON cut_off_event (agency, id);
INSERT INTO cut_off_event (agency, at, actor, off, note) SELECT agency, at, actor, TRUE, note FROM cut_off;

-- +goose Down
DROP TABLE cut_off_event;
