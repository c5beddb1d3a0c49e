-- A name that a field no longer has since a revision: what former states have under it from before is of another field than one that has it now.
-- +goose Up
CREATE TABLE name_gone (
  dataset_id BIGINT NOT NULL,
  field      TEXT NOT NULL,
  revision   BIGINT NOT NULL,
  PRIMARY KEY (dataset_id, field)
);

-- +goose Down
DROP TABLE name_gone;
