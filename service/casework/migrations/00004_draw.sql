-- Draws: who applied, hashed, as it was when the window closed; and the value that decided it, once it is known.
-- +goose Up
CREATE TABLE draw (
  project TEXT NOT NULL,
  service TEXT NOT NULL,
  since   TEXT NOT NULL,
  quota   BIGINT NOT NULL,
  closed  TEXT NOT NULL,
  entries TEXT NOT NULL,
  seed    TEXT NOT NULL,
  drawn   TEXT NOT NULL,
  actor   TEXT NOT NULL,
  PRIMARY KEY (project, service, since)
);

-- +goose Down
DROP TABLE draw;
