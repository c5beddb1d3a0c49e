-- Who asked that a dataset be opened, and what they were told.
-- +goose Up
CREATE TABLE open_request (
  id       BIGSERIAL PRIMARY KEY,
  project  TEXT NOT NULL,
  dataset  TEXT NOT NULL,
  asker    TEXT NOT NULL,
  why      TEXT NOT NULL,
  made     TEXT NOT NULL,
  due      TEXT NOT NULL,
  state    TEXT NOT NULL,
  answer   TEXT NOT NULL DEFAULT '',
  answered TEXT NOT NULL DEFAULT '',
  answerer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX open_request_asker ON open_request (asker, id);
CREATE INDEX open_request_dataset ON open_request (project, dataset, id);

-- +goose Down
DROP TABLE open_request;
