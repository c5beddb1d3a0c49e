package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/problem"
)

var clerk = By{Actor: "clerk", Via: "api"}

func values(t *testing.T, text string) (v Values) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestARecordLives(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		made, err := r.Create(ctx, clerk, d, values(t, `{"code": "A1", "name": " 남산도서관 ", "district": "11140", "seats": "1,200", "rating": 4, "open": true,
			"since": "1922. 10. 5", "seen": "2026-11-24T09:00:00+09:00", "place": {"type": "Point", "coordinates": [126.98, 37.55]}}`))
		if err != nil {
			t.Fatal(err)
		}
		want := `{"_key":"A1","_version":` + fmt.Sprint(made.Version) + `,"code":"A1","name":"남산도서관","district":"11140","seats":1200,"rating":4,"open":true,"since":"1922-10-05","seen":"2026-11-24T00:00:00.000Z","place":{"coordinates":[126.98,37.55],"type":"Point"}}`
		got, err := r.Get(ctx, d, "A1")
		if err != nil || text(t, got) != want || text(t, made) != want {
			t.Fatalf("%v\n%s\n%s\nwant\n%s", err, text(t, got), text(t, made), want)
		}
		r.clock.Advance(time.Minute)
		changed, err := r.Patch(ctx, By{Actor: "chief", Via: "api"}, d, "A1", Match{Version: made.Version}, values(t, `{"seats": null, "open": false}`))
		if err != nil || changed.Version <= made.Version {
			t.Fatal(err, changed)
		}
		if _, err := r.Patch(ctx, clerk, d, "A1", Match{Version: made.Version}, values(t, `{"seats": 5}`)); problem.Code(err) != "record.changed" || problem.As(err).With["version"] != changed.Version {
			t.Fatalf("a stale change: %v", err)
		}
		same, _, err := r.Put(ctx, clerk, d, "A1", Match{Version: changed.Version}, values(t, text(t, changed)))
		if err != nil || same.Version != changed.Version {
			t.Fatalf("writing back what was read makes no version: %v %v", same, err)
		}
		if err := r.Delete(ctx, clerk, d, "A1", Match{}); problem.Code(err) != "record.match" {
			t.Fatalf("a blind delete: %v", err)
		}
		if err := r.Delete(ctx, clerk, d, "A1", Match{Any: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Get(ctx, d, "A1"); !isUnknown(err) {
			t.Fatalf("a deleted record: %v", err)
		}
		history, err := r.History(ctx, d, "A1")
		if err != nil || len(history) != 3 || !history[0].Deleted || history[1].Actor != "chief" || history[2].ID != made.Version ||
			!history[1].At.Equal(history[2].At.Add(time.Minute)) || history[2].Revision != d.Revision {
			t.Fatalf("%v %+v", err, history)
		}
		var first map[string]any
		if json.Unmarshal(history[2].Values, &first) != nil || first["seats"] != 1200.0 {
			t.Fatalf("the first version was %s", history[2].Values)
		}
		again, err := r.Create(ctx, clerk, d, values(t, `{"code": "A1", "name": "새 도서관"}`))
		if err != nil || again.Version <= history[0].ID {
			t.Fatal(err)
		}
		if history, err = r.History(ctx, d, "A1"); err != nil || len(history) != 4 {
			t.Fatalf("%v %+v", err, history)
		}
	})
}

func TestAllFaultsOfARecordAreToldAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		_, err := r.Create(t.Context(), clerk, d, values(t, `{"code": "a", "district": "1", "seats": -1, "rating": "x", "open": 3, "since": "2026-02-30", "nmae": "x", "place": {"type": "Point"}}`))
		p := problem.As(err)
		if p == nil || p.Status != 422 {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, d := range p.At {
			got[d.Where] = d.Code
		}
		for where, code := range map[string]string{
			"code": "record.pattern", "name": "record.required", "district": "record.code", "seats": "record.min", "rating": "record.type",
			"open": "record.type", "since": "record.type", "nmae": "record.unknown_field", "place": "record.type",
		} {
			if got[where] != code {
				t.Errorf("%s: %q, not %q", where, got[where], code)
			}
		}
		if len(got) != 9 {
			t.Errorf("%v", got)
		}
	})
}

func TestWhatIsUniqueStaysSo(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		for _, s := range []string{`{"code": "A1", "name": "가", "district": "11110"}`, `{"code": "A2", "name": "가"}`, `{"code": "A3", "name": "가"}`} {
			if _, err := r.Create(ctx, clerk, d, values(t, s)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Create(ctx, clerk, d, values(t, `{"code": "A1", "name": "나"}`)); problem.Code(err) != "record.exists" {
			t.Error(err)
		}
		if _, err := r.Create(ctx, clerk, d, values(t, `{"code": "A4", "name": "가", "district": "11110"}`)); problem.Code(err) != "record.duplicate" {
			t.Error(err)
		}
		if _, err := r.Patch(ctx, clerk, d, "A2", Match{Any: true}, values(t, `{"district": "11110"}`)); problem.Code(err) != "record.duplicate" {
			t.Error(err)
		}
		if _, err := r.Patch(ctx, clerk, d, "A2", Match{Any: true}, values(t, `{"code": "A9"}`)); problem.Code(err) != "record.key" {
			t.Error(err)
		}
	})
}

func TestOfTwoWhoChangeOneRecordOneIsTold(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		made, err := r.Create(ctx, clerk, d, values(t, `{"code": "A1", "name": "가", "seats": 0}`))
		if err != nil {
			t.Fatal(err)
		}
		const writers = 8
		errs := make([]error, writers)
		var wait sync.WaitGroup
		for i := range writers {
			wait.Go(func() {
				_, errs[i] = r.Patch(ctx, clerk, d, "A1", Match{Version: made.Version}, Values{"seats": json.Number(fmt.Sprint(int64(i + 1)))})
			})
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case problem.Code(err) != "record.changed":
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d writers of %d won: %v", won, writers, errors.Join(errs...))
		}
	})
}

func TestARecordWithoutAKeyIsItsValues(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		d := r.apply(t, "kind: Dataset\nname: counts\ntitle: 수\nfields:\n  what: {type: string}\n  n: {type: int}\n")
		a, err := r.Create(ctx, clerk, d, values(t, `{"what": "가"}`))
		if err != nil || len(a.Key) != 26 {
			t.Fatal(a, err)
		}
		if _, err := r.Create(ctx, clerk, d, values(t, `{"what": "가"}`)); problem.Code(err) != "record.exists" {
			t.Error(err)
		}
		if _, err := r.Patch(ctx, clerk, d, a.Key, Match{Any: true}, values(t, `{"n": 1}`)); problem.Code(err) != "record.keyless" {
			t.Error(err)
		}
		if err := r.Delete(ctx, clerk, d, a.Key, Match{Version: a.Version}); err != nil {
			t.Error(err)
		}
	})
}

func TestKeysReadBack(t *testing.T) {
	tab := &table{}
	for _, parts := range [][]any{{"a"}, {"a,b", "c"}, {"%2C", "%", ""}, {"가/나?", "x y"}} {
		tab.key = make([]string, len(parts))
		text := KeyText(parts)
		read, err := (&table{Dataset: emptyDataset, key: tab.key}).parseKey(text)
		for i, p := range parts {
			if p == "" {
				if err == nil {
					t.Errorf("%q has a gap", text)
				}
			} else if err == nil && read[i] != p {
				t.Errorf("%q: %v", text, read)
			}
		}
	}
}
