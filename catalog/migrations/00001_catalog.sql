-- +goose Up
CREATE TABLE revision (
  n       BIGINT PRIMARY KEY,
  at      TEXT NOT NULL,
  author  TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE TABLE catalog_text (
  hash TEXT PRIMARY KEY,
  body TEXT NOT NULL
);
CREATE TABLE resource_version (
  kind      TEXT NOT NULL,
  project   TEXT NOT NULL,
  name      TEXT NOT NULL,
  revision  BIGINT NOT NULL REFERENCES revision (n),
  op        TEXT NOT NULL,
  home      TEXT NOT NULL,
  file      TEXT NOT NULL,
  text_hash TEXT NOT NULL,
  tables    TEXT NOT NULL,
  PRIMARY KEY (kind, project, name, revision)
);
CREATE INDEX resource_version_revision ON resource_version (revision);
CREATE TABLE plan (
  id     TEXT PRIMARY KEY,
  base   BIGINT NOT NULL,
  author TEXT NOT NULL,
  at     TEXT NOT NULL,
  body   TEXT NOT NULL
);

-- +goose Down
DROP TABLE plan;
DROP TABLE resource_version;
DROP TABLE catalog_text;
DROP TABLE revision;
