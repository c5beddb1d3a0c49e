-- +goose Up
CREATE TABLE dataset_table (
  id      BIGSERIAL PRIMARY KEY,
  project TEXT NOT NULL,
  dataset TEXT NOT NULL,
  shaped  BIGINT NOT NULL,
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

-- +goose Down
DROP TABLE profile;
DROP TABLE former;
DROP TABLE change;
DROP TABLE dataset_table;
