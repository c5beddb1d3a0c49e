-- Feeds: from where on and up to where the changes of a dataset have gone out by an agreement, and the ID of the event that went last. One node at a time sends them.
-- +goose Up
CREATE TABLE feed (
  project  TEXT NOT NULL,
  name     TEXT NOT NULL,
  dataset  TEXT NOT NULL,
  began    BIGINT NOT NULL,
  position BIGINT NOT NULL,
  last     TEXT NOT NULL DEFAULT '',
  hook_failed BIGINT NOT NULL DEFAULT 0,
  hook_reason TEXT NOT NULL DEFAULT '{}',
  hook_at     TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (project, name)
);
CREATE TABLE feed_lease (
  one    BIGINT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  TEXT NOT NULL
);

-- +goose Down
DROP TABLE feed_lease;
DROP TABLE feed;
