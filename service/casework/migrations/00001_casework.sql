-- Applications and their cases. Bodies and notes are sealed; times are UTC.
-- +goose Up
CREATE TABLE application (
  id     TEXT PRIMARY KEY,
  person TEXT NOT NULL,
  once   TEXT NOT NULL,
  at     TEXT NOT NULL,
  UNIQUE (person, once)
);
CREATE TABLE service_case (
  id          TEXT PRIMARY KEY,
  application TEXT NOT NULL REFERENCES application (id),
  person      TEXT NOT NULL,
  project     TEXT NOT NULL,
  service     TEXT NOT NULL,
  agency      TEXT NOT NULL,
  state       TEXT NOT NULL,
  done        BOOLEAN NOT NULL,
  assignee    TEXT NOT NULL,
  received    TEXT NOT NULL,
  due         TEXT NOT NULL,
  wake        TEXT NOT NULL,
  version     BIGINT NOT NULL,
  revision    BIGINT NOT NULL,
  body        TEXT NOT NULL
);
CREATE INDEX service_case_person ON service_case (person, received);
CREATE INDEX service_case_application ON service_case (application);
CREATE INDEX service_case_queue ON service_case (agency, done, due, id);
CREATE INDEX service_case_wake ON service_case (wake);
CREATE TABLE case_event (
  id       BIGSERIAL PRIMARY KEY,
  case_id  TEXT NOT NULL REFERENCES service_case (id),
  at       TEXT NOT NULL,
  actor    TEXT NOT NULL,
  name     TEXT NOT NULL,
  office   TEXT NOT NULL,
  action   TEXT NOT NULL,
  state    TEXT NOT NULL,
  internal BOOLEAN NOT NULL,
  note     TEXT NOT NULL
);
CREATE INDEX case_event_case ON case_event (case_id, id);

-- +goose Down
DROP TABLE case_event;
DROP TABLE service_case;
DROP TABLE application;
