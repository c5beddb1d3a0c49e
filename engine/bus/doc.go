// Package bus carries messages to those who follow something: a NATS server with JetStream in the process. Each stream keeps what was published for a time, so that who was
// away goes on where they were.
package bus
