-- Keys by which programs call the city's address form: their SHA-256, and whose they are.
-- +goose Up
CREATE TABLE open_key (
  hash  TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  made  TEXT NOT NULL
);
CREATE INDEX open_key_owner ON open_key (owner);

-- +goose Down
DROP TABLE open_key;
