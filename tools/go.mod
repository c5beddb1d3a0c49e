// The linter, in a module of its own so that its two hundred dependencies stay out of Maru's.
module github.com/maru-city/maru/tools

go 1.26.0
