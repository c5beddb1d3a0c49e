package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// codes are the places where a code is written down: a problem, a finding, a fault of a manifest or rule.
var codes = []*regexp.Regexp{
	regexp.MustCompile(`problem\.New\("([a-z_.]+)"`),
	regexp.MustCompile(`(?:[Ff]inding|say)\((?:manifest\.)?(?:Error|Warning|Note), "([a-z_.]+)"`),
	regexp.MustCompile(`\bfault(?:At)?\([^,]+,(?: path,| at,)? "([a-z]+\.[a-z_]+)"`),
	regexp.MustCompile(`Code:\s+"([a-z]+\.[a-z_]+)"`),
}

func TestEveryCodeIsDocumented(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "problems.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, form := range codes {
			for _, m := range form.FindAllStringSubmatch(string(text), -1) {
				found++
				if !strings.Contains(string(page), "| `"+m[1]+"` |") {
					t.Errorf("%s: %s isn't in docs/problems.md", name, m[1])
				}
			}
		}
		return nil
	})
	if err != nil || found < 100 {
		t.Fatalf("%d codes found: %v", found, err)
	}
}
