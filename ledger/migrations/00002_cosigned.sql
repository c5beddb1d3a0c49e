-- Checkpoints to which witnesses have added their signatures.
-- +goose Up
CREATE TABLE log_cosigned (
  size       BIGINT PRIMARY KEY,
  checkpoint TEXT NOT NULL,
  at         TEXT NOT NULL
);

-- +goose Down
DROP TABLE log_cosigned;
