-- What is carried over from PostgreSQL servers as it changes there: by which slot, which of their servers keeps it, and up to where it is here.
-- +goose Up
CREATE TABLE replica (
  slot     TEXT PRIMARY KEY,
  project  TEXT NOT NULL,
  dataset  TEXT NOT NULL,
  source   TEXT NOT NULL,
  spec     TEXT NOT NULL,
  position TEXT NOT NULL DEFAULT ''
);
CREATE TABLE replica_lease (
  one    BIGINT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  TEXT NOT NULL
);

-- +goose Down
DROP TABLE replica_lease;
DROP TABLE replica;
