-- What is carried over from PostgreSQL servers as it changes there: by which slot, which of their servers keeps it, and up to where it is here.
-- Which fields an import from a source filled, and how the source was defined then.
-- +goose Up
ALTER TABLE import_run ADD COLUMN spec TEXT NOT NULL DEFAULT '';
ALTER TABLE import_run ADD COLUMN fields TEXT NOT NULL DEFAULT '';
CREATE TABLE replica (
  slot     TEXT PRIMARY KEY,
  project  TEXT NOT NULL,
  dataset  TEXT NOT NULL,
  source   TEXT NOT NULL,
  spec     TEXT NOT NULL,
  position TEXT NOT NULL DEFAULT '',
  relation BIGINT NOT NULL DEFAULT 0,
  since    TEXT NOT NULL DEFAULT '',
  gone     BIGINT NOT NULL DEFAULT 0,
  held     BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE replica_lease (
  one    BIGINT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  TEXT NOT NULL
);

-- +goose Down
ALTER TABLE import_run DROP COLUMN fields;
ALTER TABLE import_run DROP COLUMN spec;
DROP TABLE replica_lease;
DROP TABLE replica;
