-- The last letters of a key, by which its owner tells it from others; "" of those made before.
-- +goose Up
ALTER TABLE open_key ADD COLUMN ending TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE open_key DROP COLUMN ending;
