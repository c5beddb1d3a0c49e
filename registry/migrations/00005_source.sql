-- What is known of the sources of datasets; which imports hold all that a source has, so that what isn't in them is gone.
-- +goose Up
CREATE TABLE source_state (
  dataset_id BIGINT PRIMARY KEY,
  spec       TEXT NOT NULL,
  place      TEXT NOT NULL DEFAULT '',
  print      TEXT NOT NULL DEFAULT '',
  bad        TEXT NOT NULL DEFAULT '',
  whole      TEXT NOT NULL DEFAULT '',
  good       TEXT NOT NULL DEFAULT '',
  tried      TEXT NOT NULL DEFAULT '',
  failed     BIGINT NOT NULL DEFAULT 0,
  code       TEXT NOT NULL DEFAULT '',
  reason     TEXT NOT NULL DEFAULT '{}'
);
ALTER TABLE import_run ADD COLUMN whole BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE import_run ADD COLUMN let_go BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE import_run ADD COLUMN deleted BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE import_run DROP COLUMN deleted;
ALTER TABLE import_run DROP COLUMN let_go;
ALTER TABLE import_run DROP COLUMN whole;
DROP TABLE source_state;
