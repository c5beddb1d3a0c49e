package registry

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// try plans a dataset's manifest and, where nothing stands against it, applies it. It returns the codes of errors, or the problem's.
func (r *room) try(t *testing.T, dataset string, allowLoss bool) (codes []string) {
	t.Helper()
	files := map[string]string{"project.yaml": "kind: Project\nname: trial\ntitle: {ko: 시험, en: Trial}\n"}
	if dataset != "" {
		files["dataset.yaml"] = dataset
	}
	p, err := r.catalog.Plan(t.Context(), catalog.Request{Files: files, AllowLoss: allowLoss, Who: identity.Itself("test")})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Findings {
		if f.Severity == manifest.Error {
			codes = append(codes, f.Code)
		}
	}
	if len(codes) > 0 {
		return codes
	}
	if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), "trial"); err != nil {
		return []string{problem.Code(err)}
	}
	return nil
}

// rows are the records of the only dataset, as text.
func (r *room) rowsOf(t *testing.T, d *catalog.Dataset) (out []string) {
	t.Helper()
	page, err := r.List(t.Context(), d, Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range page.Records {
		var cells []string
		for _, v := range rec.Values {
			cells = append(cells, plain(v))
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

const shapeHead = "kind: Dataset\nname: places\ntitle: 장소\n"

func TestShapesChangeAsFarAsTheDataAllow(t *testing.T) {
	const base = "key: [id]\nindex: [[kind]]\nfields:\n  id: {type: int}\n  kind: {type: string}\n  size: {type: int}\n"
	records := []string{`{"id": 1, "kind": "a", "size": 10}`, `{"id": 2, "kind": "b", "size": 20}`, `{"id": 3, "kind": "b"}`}
	for _, c := range []struct {
		name, after string
		loss        bool
		codes       []string
		rows        []string
	}{
		{"nothing", base, false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"a field more", base + "  note: {type: string}\n", false, nil, []string{"1|a|10|", "2|b|20|", "3|b||"}},
		{"a field more that must not be empty", base + "  note: {type: string, required: true}\n", false, []string{"dataset.tighten"}, nil},
		{"a field less", "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string}\n", false, []string{"dataset.loss"}, nil},
		{"a field less, allowed", "key: [id]\nfields:\n  id: {type: int}\n  size: {type: int}\n", true, nil, []string{"1|10", "2|20", "3|"}},
		{"another name", "key: [id]\nindex: [[sort]]\nfields:\n  id: {type: int}\n  sort: {type: string, was: kind}\n  size: {type: int}\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"names change places", "key: [id]\nfields:\n  id: {type: int}\n  size: {type: string}\n  kind: {type: int}\n", false, []string{"dataset.tighten"}, nil},
		{"the key by another name", "key: [no]\nfields:\n  no: {type: int, was: id}\n  kind: {type: string}\n  size: {type: int}\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"another order", "key: [id]\nfields:\n  size: {type: int}\n  id: {type: int}\n  kind: {type: string}\n", false, nil, []string{"10|1|a", "20|2|b", "|3|b"}},
		{"a wider type", "key: [id]\nfields:\n  id: {type: string, codes: {1: a, 2: b, 3: c, 9: d}}\n  kind: {type: string}\n  size: {type: double}\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"a type that doesn't fit", "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: date}\n  size: {type: int}\n", false, []string{"dataset.tighten"}, nil},
		{"tighter, as the data are", "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string, required: true, length: 1, codes: {a: 가, b: 나}}\n  size: {type: int, min: 10, max: 20}\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"tighter than the data", "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string, codes: {a: 가}}\n  size: {type: int, required: true, min: 15}\n", false, []string{"dataset.tighten", "dataset.tighten"}, nil},
		{"another key", "key: [kind, id]\nfields:\n  id: {type: int}\n  kind: {type: string}\n  size: {type: int}\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"a key that several share", "key: [kind]\nfields:\n  id: {type: int}\n  kind: {type: string}\n  size: {type: int}\n", false, []string{"dataset.tighten"}, nil},
		{"a key with gaps", "key: [size]\nfields:\n  id: {type: int}\n  kind: {type: string}\n  size: {type: int}\n", false, []string{"dataset.tighten"}, nil},
		{"no key", "fields:\n  id: {type: int}\n  kind: {type: string}\n  size: {type: int}\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"unique as the data are", base + "unique: [[size]]\n", false, nil, []string{"1|a|10", "2|b|20", "3|b|"}},
		{"unique as they aren't", base + "unique: [[kind]]\n", false, []string{"dataset.tighten"}, nil},
		{"gone", "", false, []string{"dataset.loss"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, r *room) {
				d := r.apply(t, shapeHead+base)
				for _, s := range records {
					if _, err := r.Create(t.Context(), clerk, d, values(t, s)); err != nil {
						t.Fatal(err)
					}
				}
				after := c.after
				if after != "" {
					after = shapeHead + after
				}
				if got := r.try(t, after, c.loss); !slices.Equal(got, c.codes) {
					t.Fatalf("%v, not %v", got, c.codes)
				}
				now := r.catalog.Snapshot().Datasets()[0]
				if c.codes != nil {
					if now.Path() != d.Path() || len(r.rowsOf(t, now)) != 3 {
						t.Error("a refused plan changed something")
					}
					return
				}
				got := r.rowsOf(t, now)
				slices.Sort(got)
				want := slices.Clone(c.rows)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("%q, not %q", got, want)
				}
				if _, err := r.Get(t.Context(), d, "1"); now.Revision > d.Revision && c.name != "nothing" && problem.Code(err) != "catalog.moved" {
					t.Errorf("one who knows only the former shape is told: %v", err)
				}
				if back := r.rowsOf(t, r.back(t, 1)); len(back) != 3 {
					t.Errorf("back: %q", back)
				}
			})
		})
	}
}

// back goes back to a revision, whatever is lost.
func (r *room) back(t *testing.T, revision int64) *catalog.Dataset {
	t.Helper()
	if r.catalog.Snapshot().Revision == revision {
		return r.catalog.Snapshot().Datasets()[0]
	}
	p, err := r.catalog.Plan(t.Context(), catalog.Request{Rollback: &revision, AllowLoss: true, Who: identity.Itself("test")})
	if err != nil || manifest.HasErrors(p.Findings) {
		t.Fatal(err, p)
	}
	if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), "back"); err != nil {
		t.Fatal(err)
	}
	return r.catalog.Snapshot().Datasets()[0]
}

func TestARenamingIsUndoneWithoutLoss(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		const one = "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string}\n"
		d := r.apply(t, shapeHead+one)
		if _, err := r.Create(t.Context(), clerk, d, values(t, `{"id": 1, "kind": "a"}`)); err != nil {
			t.Fatal(err)
		}
		if codes := r.try(t, shapeHead+strings.Replace(one, "kind: {type: string}", "sort: {type: string, was: kind}", 1), false); codes != nil {
			t.Fatal(codes)
		}
		revision := int64(1)
		p, err := r.catalog.Plan(t.Context(), catalog.Request{Rollback: &revision, Who: identity.Itself("test")})
		if err != nil || manifest.HasErrors(p.Findings) {
			t.Fatal(err, p.Findings)
		}
		if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), "back"); err != nil {
			t.Fatal(err)
		}
		if got := r.rowsOf(t, r.catalog.Snapshot().Datasets()[0]); !slices.Equal(got, []string{"1|a"}) {
			t.Error(got)
		}
	})
}

func TestWhatIsDroppedIsKeptInAFile(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		const base = "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string}\n"
		d := r.apply(t, shapeHead+base)
		for i := range 3 {
			if _, err := r.Create(t.Context(), clerk, d, values(t, fmt.Sprintf(`{"id": %d, "kind": "k%[1]d"}`, i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Delete(t.Context(), clerk, d, "2", Match{Any: true}); err != nil {
			t.Fatal(err)
		}
		read := func(key string) string {
			in, _, err := r.files.Open(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			text, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		if codes := r.try(t, shapeHead+"key: [id]\nfields:\n  id: {type: int}\n", true); codes != nil {
			t.Fatal(codes)
		}
		if got := read("dropped/trial/places/00000002-kind.jsonl"); got != "{\"id\":0,\"kind\":\"k0\"}\n{\"id\":1,\"kind\":\"k1\"}\n" {
			t.Errorf("%q", got)
		}
		if codes := r.try(t, "", true); codes != nil {
			t.Fatal(codes)
		}
		if got := read("dropped/trial/places/00000003-records.jsonl"); got != "{\"id\":0}\n{\"id\":1}\n" {
			t.Errorf("%q", got)
		}
		if got := read("dropped/trial/places/00000003-history.jsonl"); !strings.Contains(got, `"values":{"id":2,"kind":"k2"}`) {
			t.Errorf("%q", got)
		}
		again := r.apply(t, shapeHead+base)
		if _, err := r.History(t.Context(), again, "2"); !isUnknown(err) {
			t.Errorf("a new dataset of the same name has another's history: %v", err)
		}
	})
}

func TestDataThatChangedSinceThePlanAreLookedAtAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		const base = "key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string}\n"
		d := r.apply(t, shapeHead+base)
		p, err := r.catalog.Plan(t.Context(), catalog.Request{Who: identity.Itself("test"), Files: map[string]string{
			"project.yaml": "kind: Project\nname: trial\ntitle: {ko: 시험, en: Trial}\n",
			"dataset.yaml": shapeHead + strings.Replace(base, "type: string", "type: string, length: 2", 1),
		}})
		if err != nil || manifest.HasErrors(p.Findings) {
			t.Fatal(err, p)
		}
		if _, err := r.Create(t.Context(), clerk, d, values(t, `{"id": 1, "kind": "long"}`)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), ""); problem.Code(err) != "plan.data" {
			t.Error(err)
		}
		if r.catalog.Snapshot().Revision != 1 {
			t.Error("half applied")
		}
	})
}

func TestManyRowsAreRebuiltInBatches(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, shapeHead+"key: [id]\nfields:\n  id: {type: int}\n  kind: {type: string}\n")
		const n = 2*batchRows + 7
		if _, err := r.Load(t.Context(), clerk, d, "test", []string{"id", "kind"}, func(yield func([]any) bool) {
			for i := range int64(n) {
				if !yield([]any{i, "k"}) {
					return
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		if codes := r.try(t, shapeHead+"key: [kind, id]\nfields:\n  id: {type: string}\n  kind: {type: string}\n", false); codes != nil {
			t.Fatal(codes)
		}
		now := r.catalog.Snapshot().Datasets()
		if got, err := r.Counts(t.Context(), now); err != nil || got["trial/places"] != n {
			t.Error(got, err)
		}
	})
}

func TestAHistoryGoesWithItsRecordToANewKey(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		const one = "key: [id]\nfields:\n  id: {type: int}\n  code: {type: int}\n  name: {type: string}\n"
		d := r.apply(t, shapeHead+one)
		for _, s := range []string{`{"id": 1, "code": 2, "name": "가"}`, `{"id": 2, "code": 9, "name": "나"}`, `{"id": 3, "code": 3, "name": "다"}`} {
			if _, err := r.Create(t.Context(), clerk, d, values(t, s)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.Patch(t.Context(), clerk, d, "1", Match{Any: true}, values(t, `{"name": "가나"}`)); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"2", "3"} {
			if err := r.Delete(t.Context(), clerk, d, key, Match{Any: true}); err != nil {
				t.Fatal(err)
			}
		}
		if codes := r.try(t, shapeHead+strings.Replace(one, "key: [id]", "key: [code]", 1), false); codes != nil {
			t.Fatal(codes)
		}
		d = r.catalog.Snapshot().Datasets()[0]
		history := func(key string) (out []string) {
			t.Helper()
			all, err := r.History(t.Context(), d, key)
			if err != nil {
				return []string{problem.Code(err)}
			}
			for _, v := range all {
				if v.Deleted {
					out = append(out, "deleted")
					continue
				}
				out = append(out, string(v.Values))
			}
			return out
		}
		for key, want := range map[string][]string{
			"2": {`{"id":1,"code":2,"name":"가나"}`, `{"id":1,"code":2,"name":"가"}`}, // not what was deleted as 2
			"3": {"deleted", `{"id":3,"code":3,"name":"다"}`},                       // under the key it had
			"1": {"record.unknown"},
		} {
			if got := history(key); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", key, got, want)
			}
		}
		if _, err := r.Patch(t.Context(), clerk, d, "2", Match{Any: true}, values(t, `{"name": "가나다"}`)); err != nil {
			t.Fatal(err)
		}
		if got := history("2"); len(got) != 3 {
			t.Error(got)
		}
	})
}

// What former states have under a name is of the field that had it in their day.
func TestTheHistoryDoesntGiveOutAnotherFieldsValuesByItsName(t *testing.T) {
	const head = "kind: Dataset\nname: notes\ntitle: 메모\nkey: [id]\nfields:\n  id: {type: int, class: public}\n"
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, head+"  name: {type: string, class: personal}\n  sort: {type: string, class: public}\n")
		write := func(body string) {
			t.Helper()
			_, err := r.Get(t.Context(), d, "1")
			if _, _, err := r.Put(t.Context(), clerk, d, "1", Match{Any: err == nil}, values(t, body)); err != nil {
				t.Fatal(err)
			}
		}
		reshape := func(fields string) {
			t.Helper()
			if codes := r.try(t, head+fields, true); codes != nil {
				t.Fatal(codes)
			}
			d = r.catalog.Snapshot().Datasets()[0]
		}
		history := func() string {
			t.Helper()
			versions, err := r.History(t.Context(), d, "1")
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, v := range versions {
				out = append(out, string(v.Values))
			}
			return strings.Join(out, " ")
		}
		write(`{"id": 1, "name": "김하늘", "sort": "a"}`)
		write(`{"id": 1, "name": "김하늘", "sort": "b"}`)
		if h := history(); strings.Count(h, "김하늘") != 2 {
			t.Fatal(h)
		}
		reshape("  sort: {type: string, class: public}\n")
		reshape("  sort: {type: string, class: public}\n  name: {type: string, class: public}\n")
		write(`{"id": 1, "name": "공개 이름", "sort": "c"}`)
		write(`{"id": 1, "name": "다음 이름", "sort": "c"}`)
		h := history()
		if strings.Contains(h, "김하늘") {
			t.Error("a field of that name came later, and its history has the former one's values:", h)
		}
		for _, still := range []string{"공개 이름", "다음 이름", `"sort":"a"`, `"sort":"b"`} {
			if !strings.Contains(h, still) {
				t.Errorf("the history lost %s: %s", still, h)
			}
		}
		reshape("  kind: {type: string, class: public, was: sort}\n  name: {type: string, class: public}\n")
		reshape("  kind: {type: string, class: public}\n  sort: {type: string, class: public, was: name}\n")
		if h := history(); !strings.Contains(h, `"sort":"다음 이름"`) || strings.Contains(h, `"sort":"a"`) {
			t.Error("names that went from one field to another:", h)
		}
	})
}
