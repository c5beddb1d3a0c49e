-- Applications that somebody is still filling in, and papers: of a draft, or of a case. Answers, names and kinds are sealed; so is what the files hold.
-- +goose Up
CREATE TABLE draft (
  id       TEXT PRIMARY KEY,
  person   TEXT NOT NULL,
  services TEXT NOT NULL,
  until    TEXT NOT NULL,
  body     TEXT NOT NULL,
  UNIQUE (person, services)
);
CREATE INDEX draft_until ON draft (until);
CREATE TABLE paper (
  n        BIGSERIAL PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  person   TEXT NOT NULL,
  draft    TEXT NOT NULL,
  case_id  TEXT NOT NULL,
  at       TEXT NOT NULL,
  size     BIGINT NOT NULL,
  internal BOOLEAN NOT NULL,
  office   BOOLEAN NOT NULL,
  file     TEXT NOT NULL,
  body     TEXT NOT NULL
);
CREATE INDEX paper_draft ON paper (draft, n);
CREATE INDEX paper_case ON paper (case_id, n);
CREATE INDEX paper_person ON paper (person, at);
CREATE INDEX paper_file ON paper (file);

-- +goose Down
DROP TABLE paper;
DROP TABLE draft;
