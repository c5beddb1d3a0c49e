-- +goose Up
-- turn goes up whenever somebody else has a say in what a source is: a reading that began before is done again.
ALTER TABLE source_state ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;
-- rejected is how many rows of what was taken aren't here.
ALTER TABLE source_state ADD COLUMN rejected BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE source_state DROP COLUMN rejected;
ALTER TABLE source_state DROP COLUMN turn;
