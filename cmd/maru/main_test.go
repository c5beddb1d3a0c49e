package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"maru": func() { os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestJourneys plays the command lines of testdata as a user would type them.
func TestJourneys(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata"})
}
