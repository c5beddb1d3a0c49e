-- Which records changes have deleted within the while that counts together: one that comes back isn't gone.
-- +goose Up
CREATE TABLE replica_gone (
  dataset_id BIGINT NOT NULL,
  key        TEXT NOT NULL,
  PRIMARY KEY (dataset_id, key)
);

-- +goose Down
DROP TABLE replica_gone;
