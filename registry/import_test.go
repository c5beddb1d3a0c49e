package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// upload brings a file in, in parts.
func (r *room) upload(t *testing.T, d *catalog.Dataset, body string, dry bool) *Import {
	t.Helper()
	i, err := r.Begin(t.Context(), clerk, d, Upload{File: "libraries.csv", Size: int64(len(body)), Fingerprint: hashID([]any{body}), DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	for i.State == Receiving {
		part := body[i.Received:min(int64(len(body)), i.Received+ChunkBytes)]
		if i, err = r.Receive(t.Context(), i.ID, i.Received, strings.NewReader(part)); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

func (r *room) load(t *testing.T, ctx context.Context, i *Import) *Import {
	t.Helper()
	if err := r.Run(ctx, i.ID, func(p, n string) *catalog.Dataset { return r.catalog.Snapshot().Dataset(p, n) }); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	i, err := r.Import(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestAFileIsImported(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		const file = "번호,이름,자치구,좌석 수,extra\n" +
			"A1,가,11110,\"1,200\",x\n" +
			"A2,나,99999,-1,x\n" + // two faults
			"A3,다,11140,5\n" + // ragged
			"A1,가,11110,1200,y\n" + // the same record again
			"A1,가,11110,7,y\n" + // and with another value
			"A4,라,,,\n"
		dry := r.load(t, t.Context(), r.upload(t, d, file, true))
		if dry.State != Done || dry.Tally != (Tally{Loaded: 2, Unchanged: 1, Rejected: 3}) {
			t.Fatalf("dry: %+v", dry)
		}
		if page, err := r.List(t.Context(), d, Query{}); err != nil || len(page.Records) != 0 {
			t.Fatal("a dry run writes nothing", page, err)
		}
		for n, want := range []Tally{{Loaded: 2, Unchanged: 1, Rejected: 3}, {Unchanged: 3, Rejected: 3}} {
			i := r.load(t, t.Context(), r.upload(t, d, file, false))
			if i.State != Done || i.Tally != want || i.Started.IsZero() || i.Ended.IsZero() || i.Rows != 6 || i.Read != int64(len(file)) || len(i.Notes) != 1 {
				t.Errorf("run %d: %+v", n, i)
			}
			var out bytes.Buffer
			if err := r.Rejected(lang.With(t.Context(), lang.En), i.ID, &out); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(strings.TrimPrefix(out.String(), "\ufeff")), "\n")
			if len(lines) != 4 || lines[0] != "_line,_reason,번호,이름,자치구,좌석 수,extra" ||
				!strings.HasPrefix(lines[1], "3,district: it is not in the code list: 99999; seats: it is below 0,A2,나") ||
				!strings.HasPrefix(lines[2], `4,"it has 4 cells, there are 5 columns",A3`) || !strings.HasPrefix(lines[3], "6,line 2 has the same key and other values,A1") {
				t.Errorf("rejected:\n%s", out.String())
			}
		}
		if all, err := r.Imports(t.Context(), d, 10); err != nil || len(all) != 3 {
			t.Error(all, err)
		}
	})
}

func TestAnImportGoesOnWhereItWasCutOff(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		var b strings.Builder
		b.WriteString("code,name,seats\n")
		const n = 3*batchRows + 10
		for i := range n {
			seats := fmt.Sprint(i)
			if i%1000 == 0 {
				seats = "x"
			}
			fmt.Fprintf(&b, "A%d,이름 %d,%s\n", i, i, seats)
		}
		i := r.upload(t, d, b.String(), false)
		ctx, stop := context.WithCancel(t.Context())
		go func() { // stop in the middle
			defer stop()
			for at, err := i, error(nil); at.Rows < batchRows && err == nil; {
				at, err = r.Import(ctx, i.ID)
			}
		}()
		if err := r.Run(ctx, i.ID, r.catalog.Snapshot().Dataset); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		half, err := r.Unfinished(t.Context())
		if err != nil || len(half) != 1 || half[0].State != Running || half[0].Rows >= n {
			t.Fatalf("%+v %v", half, err)
		}
		again := r.upload(t, d, b.String(), false)
		if again.ID != i.ID {
			t.Error("the same file begins another import while the first is unfinished")
		}
		done := r.load(t, t.Context(), again)
		if done.State != Done || done.Rows != n || done.Loaded != n-31 || done.Rejected != 31 || done.Unchanged != 0 {
			t.Errorf("%+v", done)
		}
	})
}

func TestAFileThatDoesNotFitIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		for file, want := range map[string]string{
			"nothing,of this\n1,2\n": "the required field code has no column",
			"":                       "",
		} {
			if file == "" {
				if _, err := r.Begin(t.Context(), clerk, d, Upload{File: "x", Fingerprint: "x"}); problem.Code(err) != "import.size" {
					t.Error(err)
				}
				continue
			}
			i := r.load(t, t.Context(), r.upload(t, d, file, false))
			if i.State != Failed || !strings.Contains(i.Reason.En, want) {
				t.Errorf("%+v", i)
			}
		}
		i, err := r.Begin(t.Context(), clerk, d, Upload{File: "x", Fingerprint: "x", Size: ChunkBytes + 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Receive(t.Context(), i.ID, 0, strings.NewReader("short")); problem.Code(err) != "import.part" {
			t.Error(err)
		}
		if _, err := r.Receive(t.Context(), i.ID, 5, strings.NewReader("x")); problem.Code(err) != "import.offset" {
			t.Error(err)
		}
	})
}

func TestARunSeesTheDefinitionOfItsDay(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		i := r.upload(t, d, "code,name\nA1,가\nA2,나\n", false)
		stale := *d
		stale.Revision = 0
		calls := 0
		find := func(p, n string) *catalog.Dataset {
			if calls++; calls == 1 {
				return &stale
			}
			return d
		}
		if err := r.Run(t.Context(), i.ID, find); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Import(t.Context(), i.ID); err != nil || got.Loaded != 2 {
			t.Errorf("%+v %v", got, err)
		}
	})
}

func TestOldImportsAreForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		for i := range keptRuns + 3 {
			if r.load(t, t.Context(), r.upload(t, d, fmt.Sprintf("code,name\nA%d,가%[1]d\nx,나\n", i), false)).State != Done {
				t.Fatal(i)
			}
		}
		all, err := r.Imports(t.Context(), d, 10*keptRuns)
		if err != nil || len(all) != keptRuns {
			t.Errorf("%d %v", len(all), err)
		}
	})
}

func TestAFileThatNeverComesWholeIsForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		i, err := r.Begin(t.Context(), clerk, d, Upload{File: "x.csv", Fingerprint: "x", Size: 2 * ChunkBytes})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Receive(t.Context(), i.ID, 0, strings.NewReader(strings.Repeat("x", ChunkBytes))); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(6 * 24 * time.Hour)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Import(t.Context(), i.ID); err != nil || got.State != Receiving {
			t.Fatalf("after six days: %+v %v", got, err)
		}
		r.clock.Advance(2 * 24 * time.Hour)
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Import(t.Context(), i.ID); err != nil || got.State != Failed {
			t.Fatalf("after eight days: %+v %v", got, err)
		}
		if _, _, err := r.files.Open(t.Context(), chunkKey(i.ID, 0)); err == nil {
			t.Error("its parts are still there")
		}
	})
}

func TestAnImportWaitsForRoomOnTheDisk(t *testing.T) {
	r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
	d := r.apply(t, libraries)
	var b strings.Builder
	b.WriteString("code,name,seats\n")
	const n = 3 * batchRows
	for i := range n {
		fmt.Fprintf(&b, "A%d,이름 %d,%d\n", i, i, i)
	}
	i := r.upload(t, d, b.String(), false)
	room := func(pages string) {
		t.Helper()
		if _, err := r.db.Pool().ExecContext(t.Context(), "PRAGMA max_page_count = "+pages); err != nil { // SQLite's own full disk
			t.Fatal(err)
		}
	}
	room("500") // of 4 kB
	if err := r.Run(t.Context(), i.ID, r.catalog.Snapshot().Dataset); problem.Code(err) != problem.FullCode {
		t.Fatal(err)
	}
	now, err := r.Import(t.Context(), i.ID)
	if err != nil || now.State != Running || !strings.Contains(now.Reason.En, "disk is full") || now.Rows%batchRows != 0 || now.Rows == n {
		t.Fatalf("%+v %v", now, err)
	}
	if _, err := r.Create(t.Context(), clerk, d, Values{"code": "Z1", "name": strings.Repeat("가", 20)}); err != nil && problem.Code(err) != problem.FullCode {
		t.Error(err)
	}
	room("1000000")
	if done := r.load(t, t.Context(), i); done.State != Done || done.Loaded != n || !done.Reason.Empty() {
		t.Errorf("%+v", done)
	}
}

func TestAFileThatBringsTheProgramDownIsGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		i := r.upload(t, d, "code,name\nA1,가\n", false)
		for range maxStarts { // each ended by a crash
			if _, err := r.starting(t.Context(), i.ID); err != nil {
				t.Fatal(err)
			}
		}
		if i = r.load(t, t.Context(), i); i.State != Failed || !strings.Contains(i.Reason.En, "3 times") || i.Loaded != 0 {
			t.Errorf("%+v", i)
		}
		again := r.upload(t, d, "code,name\nA1,가\n", false)
		for range maxStarts - 1 {
			if _, err := r.starting(t.Context(), again.ID); err != nil {
				t.Fatal(err)
			}
		}
		if again = r.load(t, t.Context(), again); again.State != Done || again.Loaded != 1 {
			t.Errorf("%+v", again)
		}
	})
}
