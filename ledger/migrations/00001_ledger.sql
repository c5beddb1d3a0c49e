-- +goose Up
CREATE TABLE log_entry (
  n       BIGINT PRIMARY KEY,
  body    TEXT NOT NULL,
  private TEXT NOT NULL,
  subject BIGINT NOT NULL
);
CREATE INDEX log_entry_subject ON log_entry (subject, n);
CREATE TABLE log_subjects (
  block BIGINT NOT NULL,
  n     BIGINT NOT NULL,
  bits  BYTEA NOT NULL,
  PRIMARY KEY (block, n)
);
CREATE INDEX log_subjects_entry ON log_subjects (n, block);
CREATE TABLE log_tile (
  level  BIGINT NOT NULL,
  n      BIGINT NOT NULL,
  hashes BYTEA NOT NULL,
  PRIMARY KEY (level, n)
);
CREATE TABLE log_head (
  one        BIGINT PRIMARY KEY,
  size       BIGINT NOT NULL,
  checkpoint TEXT NOT NULL,
  at         TEXT NOT NULL
);
CREATE TABLE log_rate (
  name TEXT NOT NULL,
  slot BIGINT NOT NULL,
  n    BIGINT NOT NULL,
  PRIMARY KEY (name, slot)
);

-- +goose Down
DROP TABLE log_rate;
DROP TABLE log_head;
DROP TABLE log_tile;
DROP TABLE log_subjects;
DROP TABLE log_entry;
