-- How often an agreement, or who is cut off, has changed, and the revision of the catalog that was applied last: a node that knows how all stood reads only this.
-- +goose Up
CREATE TABLE standing_change (
  one      BIGINT PRIMARY KEY,
  n        BIGINT NOT NULL,
  revision BIGINT NOT NULL
);
INSERT INTO standing_change (one, n, revision) VALUES (1, 0, 0);

-- +goose Down
DROP TABLE standing_change;
