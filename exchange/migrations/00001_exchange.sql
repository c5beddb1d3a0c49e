-- +goose Up
CREATE TABLE agreement_version (
  project    TEXT NOT NULL,
  name       TEXT NOT NULL,
  version    BIGINT NOT NULL,
  body       TEXT NOT NULL,
  dataset    TEXT NOT NULL,
  author     TEXT NOT NULL,
  at         TEXT NOT NULL,
  until      TEXT NOT NULL,
  personal   BOOLEAN NOT NULL,
  steward    TEXT NOT NULL DEFAULT '',
  privacy    TEXT NOT NULL DEFAULT '',
  state      TEXT NOT NULL,
  PRIMARY KEY (project, name, version)
);
CREATE INDEX agreement_version_state ON agreement_version (state);
CREATE TABLE agreement_event (
  id      BIGSERIAL PRIMARY KEY,
  project TEXT NOT NULL,
  name    TEXT NOT NULL,
  version BIGINT NOT NULL,
  at      TEXT NOT NULL,
  actor   TEXT NOT NULL,
  what    TEXT NOT NULL,
  note    TEXT NOT NULL
);
CREATE INDEX agreement_event_of ON agreement_event (project, name, id);
CREATE TABLE consent (
  id        BIGSERIAL PRIMARY KEY,
  person    BIGINT NOT NULL,
  project   TEXT NOT NULL,
  name      TEXT NOT NULL,
  given     TEXT NOT NULL,
  withdrawn TEXT NOT NULL DEFAULT ''
);
CREATE INDEX consent_person ON consent (person, project, name);
CREATE INDEX consent_agreement ON consent (project, name, person);
CREATE TABLE cut_off (
  agency TEXT PRIMARY KEY,
  at     TEXT NOT NULL,
  actor  TEXT NOT NULL,
  note   TEXT NOT NULL
);
CREATE TABLE key_check (
  one   BIGINT PRIMARY KEY,
  value TEXT NOT NULL
);

-- +goose Down
DROP TABLE key_check;
DROP TABLE cut_off;
DROP TABLE consent;
DROP TABLE agreement_event;
DROP TABLE agreement_version;
