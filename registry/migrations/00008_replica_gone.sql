-- Which records changes have deleted within the while that counts together: one that comes back isn't gone. And of which the last change was refused: what isn't sent again for it isn't known.
-- +goose Up
CREATE TABLE replica_gone (
  dataset_id BIGINT NOT NULL,
  key        TEXT NOT NULL,
  PRIMARY KEY (dataset_id, key)
);
CREATE TABLE replica_refused (
  dataset_id BIGINT NOT NULL,
  key        TEXT NOT NULL,
  PRIMARY KEY (dataset_id, key)
);

-- +goose Down
DROP TABLE replica_refused;
DROP TABLE replica_gone;
