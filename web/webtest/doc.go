// Package webtest drives pages in Chromium as a person would, and checks what a person can't see at a glance.
//
// [Open] starts a browser of its own for a test. [Browser.Visit] opens an address; [Browser.Axe] runs axe-core in the page and fails on
// findings that are serious or critical; [Browser.Fits] fails when the page scrolls sideways; [Browser.Shot] keeps a picture.
// Anything a page logs as an error, or that its security policy refuses, fails the test too.
//
// Without Chromium, or before `npm ci`, tests are skipped; with MARU_TEST_REQUIRE set, as `make test` does, they fail.
// MARU_SCREENSHOTS names the folder for pictures; without it none are taken.
package webtest
