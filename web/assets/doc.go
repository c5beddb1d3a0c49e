// Package assets is what the browser gets beside pages: one script, one style sheet, icons, a typeface.
//
// They are built by web/assets/build.mjs (`make build`) from npm packages into dist, and embedded into the program. Names carry a
// hash of the content: [Path] maps "maru.css" to its address, [Handler] serves it with leave to keep it for ever,
// compressed ahead of time.
//
// A program that was built without them still serves its JSON; its pages say that `make build` is missing ([Built]).
package assets
