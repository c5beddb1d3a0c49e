-- What changes in datasets that somebody follows, written with the change itself: states before and after, as JSON like those of former.
-- +goose Up
ALTER TABLE dataset_table ADD COLUMN followed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE dataset_table ADD COLUMN forgotten BIGINT NOT NULL DEFAULT 0;
CREATE TABLE outbox (
  id         BIGSERIAL PRIMARY KEY,
  dataset_id BIGINT NOT NULL,
  change     BIGINT NOT NULL,
  record     TEXT NOT NULL,
  before     TEXT,
  after      TEXT
);
CREATE INDEX outbox_dataset ON outbox (dataset_id, id);

-- +goose Down
DROP TABLE outbox;
ALTER TABLE dataset_table DROP COLUMN forgotten;
ALTER TABLE dataset_table DROP COLUMN followed;
