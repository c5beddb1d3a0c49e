-- Up to when citizens have seen what was done to their cases.
-- +goose Up
CREATE TABLE news_seen (
  person TEXT NOT NULL PRIMARY KEY,
  at     TEXT NOT NULL
);

-- +goose Down
DROP TABLE news_seen;
