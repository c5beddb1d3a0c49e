// Package service is what the city offers to people. A [Service] is a manifest made ready: its facts with their types, its clauses and its benefit compiled. It answers for one
// person of whom some facts are known ([Service.Check]): clause by clause, with the reason in plain words and the very numbers that decided, and what is still worth asking.
//
// It knows no records: facts are handed to it. See docs/design/services.md.
package service
