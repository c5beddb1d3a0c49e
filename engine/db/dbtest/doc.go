// Package dbtest gives tests a real PostgreSQL.
//
// [Postgres] makes an empty database on a throw-away server and says its address. The first call in a test process starts the
// server: a new cluster in a folder of its own, reached by a socket in that folder, with Korean collation (ICU ko-KR) and UTF-8, as an
// installation has it, and without fsync, for nothing in it is to last. All tests of the process share the server; each call has
// its own database, which goes at the end of the test.
//
// The server ends when the test process does, however that ends: a shell keeps watch at a pipe that only the process holds open.
//
// Environment:
//
//	MARU_TEST_POSTGRES  the address of a running server to make the databases on, instead of starting one
//	MARU_TEST_REQUIRE   if set, a test that finds no PostgreSQL fails instead of being skipped; `make test` sets it
package dbtest
