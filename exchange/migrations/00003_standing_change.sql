-- How often an agreement, or who is cut off, has changed: a node that knows how they stood at a number reads only this one.
-- +goose Up
CREATE TABLE standing_change (
  one BIGINT PRIMARY KEY,
  n   BIGINT NOT NULL
);
INSERT INTO standing_change (one, n) VALUES (1, 0);

-- +goose Down
DROP TABLE standing_change;
