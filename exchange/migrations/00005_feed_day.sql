-- The day of Seoul for which a feed shows what a read shows: by a condition that asks for today, others are seen on the next.
-- +goose Up
ALTER TABLE feed ADD COLUMN day TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE feed DROP COLUMN day;
