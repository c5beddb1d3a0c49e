package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// settingsOf reads the settings of a command line.
func settingsOf(t *testing.T, args ...string) (config, error) {
	t.Helper()
	c := &cobra.Command{Use: "serve"}
	read := configFlags(c, lang.En, "standard")
	if err := c.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return read()
}

func TestAFlagCountsBeforeTheEnvironmentAndThatBeforeTheFile(t *testing.T) {
	for _, name := range []string{"MARU_DATA", "MARU_DATABASE", "MARU_LISTEN", "MARU_CONFIG"} {
		t.Setenv(name, "")
	}
	c, err := settingsOf(t)
	if err != nil || c.Data != "standard" || c.Listen != "127.0.0.1:8700" || c.Database != filepath.Join("standard", "maru.db") {
		t.Errorf("by themselves: %+v, %v", c, err)
	}
	file := filepath.Join(t.TempDir(), "maru.yaml")
	text := "data: from-file\ndatabase: postgres://file/maru\nlisten: 127.0.0.1:1\ncity: {ko: 시험시, en: Trial City}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MARU_CONFIG", file)
	t.Setenv("MARU_LISTEN", "127.0.0.1:2")
	t.Setenv("MARU_DATA", "from-environment")
	c, err = settingsOf(t, "--data", "from-flag")
	if err != nil || c.Data != "from-flag" || c.Listen != "127.0.0.1:2" || c.Database != "postgres://file/maru" || c.City.En != "Trial City" {
		t.Errorf("mixed: %+v, %v", c, err)
	}
}

func TestAWrongFileOfSettingsSaysWhereAndWhat(t *testing.T) {
	t.Setenv("MARU_LANG", "en")
	for text, want := range map[string]string{
		"data: x\nlistn: 127.0.0.1:1\n": "line 2, column 1",
		"data: [x\n":                    "line 1",
		"city: {fr: Ville}\n":           "line 1",
	} {
		file := filepath.Join(t.TempDir(), "maru.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := settingsOf(t, "--config", file)
		if p := problem.As(err); p == nil || p.Code != "config.invalid" || !strings.Contains(p.In(lang.En), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := settingsOf(t, "--config", "nowhere.yaml"); problem.Code(err) != "config.file" {
		t.Errorf("no file: %v", err)
	}
}
