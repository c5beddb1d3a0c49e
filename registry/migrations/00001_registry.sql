-- +goose Up
CREATE TABLE dataset_table (
  id      BIGSERIAL PRIMARY KEY,
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  shaped  BIGINT NOT NULL,
  built   BIGINT NOT NULL,
  UNIQUE (project, dataset)
);
CREATE TABLE change (
  id       BIGSERIAL PRIMARY KEY,
  at       TEXT NOT NULL,
  actor    TEXT NOT NULL,
  via      TEXT NOT NULL,
  revision BIGINT NOT NULL,
  dataset_id BIGINT NOT NULL,
  run      BIGINT NOT NULL
);
CREATE INDEX change_dataset ON change (dataset_id, id);
CREATE TABLE former (
  dataset_id BIGINT NOT NULL,
  record     TEXT NOT NULL,
  change     BIGINT NOT NULL,
  ended      BIGINT NOT NULL,
  deleted    BOOLEAN NOT NULL,
  body       TEXT NOT NULL,
  PRIMARY KEY (dataset_id, record, change)
);
CREATE TABLE profile (
  dataset_id BIGINT PRIMARY KEY,
  change     BIGINT NOT NULL,
  shaped     BIGINT NOT NULL,
  body       TEXT NOT NULL
);
CREATE TABLE import_run (
  id          BIGSERIAL PRIMARY KEY,
  dataset_id  BIGINT NOT NULL,
  project     TEXT NOT NULL,
  dataset     TEXT NOT NULL,
  file        TEXT NOT NULL,
  size        BIGINT NOT NULL,
  received    BIGINT NOT NULL DEFAULT 0,
  fingerprint TEXT NOT NULL,
  dry_run     BOOLEAN NOT NULL,
  actor       TEXT NOT NULL,
  via         TEXT NOT NULL,
  state       TEXT NOT NULL,
  started     TEXT NOT NULL,
  ended       TEXT NOT NULL DEFAULT '',
  rows_read   BIGINT NOT NULL DEFAULT 0,
  bytes_read  BIGINT NOT NULL DEFAULT 0,
  loaded      BIGINT NOT NULL DEFAULT 0,
  changed     BIGINT NOT NULL DEFAULT 0,
  unchanged   BIGINT NOT NULL DEFAULT 0,
  rejected    BIGINT NOT NULL DEFAULT 0,
  reason      TEXT NOT NULL DEFAULT '{}',
  notes       TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX import_run_dataset ON import_run (dataset_id, id);
CREATE TABLE import_rejected (
  run    BIGINT NOT NULL,
  n      BIGINT NOT NULL,
  line   BIGINT NOT NULL,
  cells  TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (run, n)
);

-- +goose Down
DROP TABLE import_rejected;
DROP TABLE import_run;
DROP TABLE profile;
DROP TABLE former;
DROP TABLE change;
DROP TABLE dataset_table;
