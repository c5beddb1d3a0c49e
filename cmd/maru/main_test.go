package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/korean"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
)

func TestMain(m *testing.M) {
	if os.Getenv(asMaru) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"maru": main})
}

// TestJourneys plays the command lines of testdata as a user would type them.
//
// `serve [FOLDER]` starts a server of this process with its data in a folder, and sets MARU_SERVER; a second one ends the first, and `! serve` only ends it.
// `serve -demo` starts one with the demo city in it. `read FILE` lets the demo's housing office read about haneul, who saves the receipt.
// `signed-in NAME` sets MARU_TOKEN to that of one of the demo's people. `replace FILE OLD NEW OUT` writes a file with another word in it. `tamper DATABASE` says that
// somebody else read what an entry of the log tells of. `status N` checks the
// exit status of the command behind it. `cp949 FILE` saves a file as Korean Windows does; `xlsx CSV FILE` saves a
// table as a workbook.
func TestJourneys(t *testing.T) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the servers' logs of requests
	testscript.Run(t, testscript.Params{
		Dir:   "testdata",
		Setup: func(e *testscript.Env) error { e.Setenv("MARU_LANG", "en"); return nil },
		Cmds:  map[string]func(ts *testscript.TestScript, neg bool, args []string){"serve": serveScript, "status": statusScript, "read": readScript, "signed-in": signedInScript, "replace": replaceScript, "tamper": tamperScript, "cp949": cp949Script, "xlsx": xlsxScript},
	})
}

// running are the ends of the servers of scripts, by folder of the script.
var running sync.Map

// serveScript starts a server for a script. It ends with the script, or when the script starts another.
func serveScript(ts *testscript.TestScript, neg bool, args []string) {
	folder, demo := "data", false
	if len(args) > 0 {
		folder, demo = args[0], args[0] == "-demo"
	}
	script := ts.Getenv("WORK")
	if end, ok := running.LoadAndDelete(script); ok {
		end.(func())()
	}
	if neg {
		return // `! serve` only ends the server
	}
	dir := ts.MkAbs(folder)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s, err := open(context.Background(), config{Data: dir, Database: filepath.Join(dir, "maru.db"), Keys: filepath.Join(dir, "keys"), Log: "test/log", Demo: demo, seed: 1, residents: 1000}, l.Addr().String())
	ts.Check(err)
	if demo {
		ts.Check(s.settle(context.Background(), config{Data: dir, Demo: true, seed: 1, residents: 1000}, func(lang.Text) {}))
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, l) }()
	end := sync.OnceFunc(func() {
		cancel()
		ts.Check(errors.Join(<-done, s.Close()))
	})
	running.Store(script, end)
	ts.Defer(end)
	ts.Setenv("MARU_SERVER", "http://"+l.Addr().String())
}

// readScript reads about a citizen by the demo's agreement, and saves the citizen's receipt.
func readScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: read FILE")
	}
	ctx := context.Background()
	as := func(who string) *client {
		c := &client{server: ts.Getenv("MARU_SERVER"), reader: lang.En}
		var err error
		c.token, err = c.demoToken(ctx, who)
		ts.Check(err)
		return c
	}
	haneul := as("haneul")
	var me struct{ ID string }
	ts.Check(haneul.get(ctx, "/me", url.Values{"for": {"youth-housing"}}, &me))
	var answer struct{ Receipt int64 }
	ts.Check(as("housing-app").call(ctx, http.MethodPost, "/reads", map[string]string{"agreement": "residents", "purpose": "eligibility", "subject": me.ID}, &answer))
	ts.Check(haneul.save(ctx, fmt.Sprintf("/receipts/%d", answer.Receipt), ts.MkAbs(args[0])))
}

func signedInScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: signed-in NAME")
	}
	token, err := (&client{server: ts.Getenv("MARU_SERVER"), reader: lang.En}).demoToken(context.Background(), args[0])
	ts.Check(err)
	ts.Setenv("MARU_TOKEN", token)
}

func replaceScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: replace FILE OLD NEW OUT")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o600))
}

func tamperScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tamper DATABASE")
	}
	d, err := db.Open(context.Background(), ts.MkAbs(args[0]))
	ts.Check(err)
	defer d.Close()
	ts.Check(d.Write(context.Background(), func(tx *db.Tx) error {
		n, err := tx.Exec(context.Background(), "UPDATE log_entry SET private = replace(private, 'housing-app', 'somebody') WHERE n = (SELECT max(n) FROM log_entry WHERE private LIKE '%housing-app%')")
		if err == nil && n != 1 {
			err = fmt.Errorf("%d entries", n)
		}
		return err
	}))
}

// statusScript runs maru and checks its exit status: `status 2 maru plan .`.
func statusScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = err.Error()[len("exit status "):]
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// cp949Script writes a file of UTF-8 again in CP949.
func cp949Script(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cp949 FILE")
	}
	text, err := korean.EUCKR.NewEncoder().String(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// xlsxScript writes a table of plain CSV as a workbook.
func xlsxScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: xlsx CSV FILE")
	}
	book := excelize.NewFile()
	defer book.Close()
	for i, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		cells := strings.Split(line, ",")
		ts.Check(book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells))
	}
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	ts.Check(book.Write(f))
}
