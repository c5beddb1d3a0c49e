-- A dataset's key may become another one. keyed is the revision that made it what it is: a record's history goes with the record to its new
-- key, and what was deleted before stays under the key it had, apart from those who have the same text for a key today.
-- +goose Up
ALTER TABLE dataset_table ADD COLUMN keyed BIGINT NOT NULL DEFAULT 0;
CREATE TABLE former_by_key (
  dataset_id BIGINT NOT NULL,
  keyed      BIGINT NOT NULL,
  record     TEXT NOT NULL,
  change     BIGINT NOT NULL,
  ended      BIGINT NOT NULL,
  deleted    BOOLEAN NOT NULL,
  body       TEXT NOT NULL,
  PRIMARY KEY (dataset_id, keyed, record, change)
);
INSERT INTO former_by_key (dataset_id, keyed, record, change, ended, deleted, body) SELECT dataset_id, 0, record, change, ended, deleted, body FROM former;
DROP TABLE former;
ALTER TABLE former_by_key RENAME TO former;

-- +goose Down
CREATE TABLE former_by_record (
  dataset_id BIGINT NOT NULL,
  record     TEXT NOT NULL,
  change     BIGINT NOT NULL,
  ended      BIGINT NOT NULL,
  deleted    BOOLEAN NOT NULL,
  body       TEXT NOT NULL,
  PRIMARY KEY (dataset_id, record, change)
);
INSERT INTO former_by_record (dataset_id, record, change, ended, deleted, body) SELECT dataset_id, record, change, ended, deleted, body FROM former ON CONFLICT DO NOTHING;
DROP TABLE former;
ALTER TABLE former_by_record RENAME TO former;
ALTER TABLE dataset_table DROP COLUMN keyed;
