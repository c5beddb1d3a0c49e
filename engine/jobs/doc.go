// Package jobs runs work that must be done once and to its end: River on the program's own database.
//
// A [Queue] knows kinds of work by name. [Queue.Enqueue] asks for one piece of it; while one with the same subject waits or runs, asking
// again changes nothing. Work that fails is tried again later, up to [Attempts] times; work of a process that was killed is taken up
// by the next start. [Queue.Schedule] sets what is asked for again and again.
//
// It carries no data: a subject is a name or a number, and the work finds its state in the database.
package jobs
