-- +goose Up
CREATE TABLE session (
  hash      TEXT PRIMARY KEY,
  sign_in   TEXT NOT NULL,
  principal TEXT NOT NULL,
  id_token  TEXT NOT NULL,
  started   TEXT NOT NULL,
  made      TEXT NOT NULL,
  seen      TEXT NOT NULL,
  replaced  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX session_sign_in ON session (sign_in);
CREATE INDEX session_seen ON session (seen);

-- +goose Down
DROP TABLE session;
