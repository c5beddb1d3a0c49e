package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

const openPeople = `kind: Dataset
name: survey
title: 조사
key: [no]
fields:
  no:       {type: int, class: %[1]s}
  sex:      {type: string, title: {ko: 성별}, class: public}
  age:      {type: string, title: {ko: 연령대}, class: public}
  district: {type: string, title: {ko: 자치구}, class: public}
  answer:   {type: string, title: {ko: 응답}, class: public%[2]s}
source: {file: survey.csv}
`

// surveyed are answers of people, each of the groups so many times.
func surveyed(each int, answer func(n int) string) string {
	var b strings.Builder
	b.WriteString("no,sex,age,district,answer\n")
	n := 0
	for _, sex := range []string{"남", "여"} {
		for _, age := range []string{"20대", "30대"} {
			for range each {
				n++
				fmt.Fprintf(&b, "%d,%s,%s,종로구,%s\n", n, sex, age, answer(n))
			}
		}
	}
	return b.String()
}

func agreeable(int) string { return "찬성" }

func TestWhatComesIntoAnOpenDatasetIsLookedAt(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, fmt.Sprintf(openPeople, "public", ""))
		take := func(text string) (*Import, string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			i, _ := r.read(t, from)
			if i == nil {
				t.Fatal("no import")
			}
			return i, i.Reason.En
		}
		for what, text := range map[string]string{
			"mobile phone":           surveyed(8, func(n int) string { return fmt.Sprintf("010-2345-%04d", n) }),
			"e-mail":                 surveyed(8, func(n int) string { return fmt.Sprintf("a%d@example.kr", n) }),
			"fewer than 5":           surveyed(3, agreeable),
			"fewer than 5 are alike": surveyed(3, agreeable) + strings.SplitN(surveyed(3, agreeable), "\n", 2)[1], // the same people twice
		} {
			if i, reason := take(text); i.State != Failed || !strings.Contains(reason, what) || r.counted(t, d) != 0 {
				t.Errorf("%s: %s %s", what, i.State, reason)
			}
		}
		if i, reason := take(surveyed(6, func(n int) string {
			return map[bool]string{true: "900101-1234568", false: "찬성"}[n == 3]
		})); i.State != Done || i.Loaded != 23 || i.Rejected != 1 {
			t.Errorf("a resident's number: %+v %s", i.Tally, reason)
		}
		p, err := r.Profile(t.Context(), d)
		if err != nil || p.Opening == nil || p.Opening.K != 5 || len(p.Opening.Found) != 0 || strings.Join(p.Opening.Traits, " ") != "sex age district" {
			t.Errorf("%+v %v", p.Opening, err)
		}
		for _, answer := range []string{"010-2345-6789", "someone@example.kr"} {
			if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("901"), "sex": "남", "answer": answer}); problem.Code(err) != "record.invalid" {
				t.Errorf("%s by hand: %v", answer, err)
			}
		}
		if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("9001011234568"), "sex": "남"}); problem.Code(err) != "record.invalid" {
			t.Errorf("a resident's number as a number: %v", err)
		}
		if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("900"), "sex": "남", "answer": "제 번호는 900101-1234568 입니다"}); !strings.Contains(fmt.Sprint(problem.As(err).At), "record.personal") {
			t.Errorf("written by hand: %v", err)
		}
	})
}

// One phone number among many rows no column tells; the row does.
func TestARowWithAPhoneNumberIsRejected(t *testing.T) {
	r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
	from, folder := sources(t)
	d := r.apply(t, fmt.Sprintf(openPeople, "public", ""))
	text := surveyed(25, func(n int) string {
		return map[int]string{0: "010-2345-6789", 1: "김하늘 010-2345-6789", 2: "문의: haneul@example.kr"}[n%10] + map[bool]string{true: "문의: office@seoul.go.kr", false: ""}[n%10 > 2]
	})
	if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if i, _ := r.read(t, from); i.State != Done || i.Rejected != 30 || r.counted(t, d) != 70 {
		t.Errorf("%+v %s", i.Tally, i.Reason.En)
	}
}

// A column that says how many children somebody has doesn't make the record one of a group; nor does a number.
func TestWhatAPersonHasSeveralOfIsNoCountOfPersons(t *testing.T) {
	for _, more := range []string{"kids: {type: int, title: {ko: 자녀수}", "visits: {type: int, title: {ko: 방문횟수}", "account: {type: int, title: {ko: 구분}", "number: {type: int, title: {ko: 연번}", "discount: {type: int, title: {ko: 감면율}"} {
		r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
		from, folder := sources(t)
		d := r.apply(t, strings.Replace(fmt.Sprintf(openPeople, "public", ""), "  sex: ", "  "+more+", class: public}\n  sex: ", 1))
		name, _, _ := strings.Cut(more, ":")
		text := strings.Replace(surveyed(3, agreeable), "no,", "no,"+name+",", 1)
		for n := 1; n <= 12; n++ {
			text = strings.Replace(text, fmt.Sprintf("\n%d,", n), fmt.Sprintf("\n%d,%d,", n, 2+n%4), 1)
		}
		if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if i, _ := r.read(t, from); i.State != Failed || !strings.Contains(i.Reason.En, "fewer than 5") || r.counted(t, d) != 0 {
			t.Errorf("%s: %s %+v %s", more, i.State, i.Tally, i.Reason.En)
		}
	}
}

// A dataset is opened while a file comes in: what of it is still to come is looked at too.
func TestAnImportIsLookedAtAgainWhenItsDatasetIsOpened(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		closed := strings.Replace(fmt.Sprintf(openPeople, "internal", ""), "source: {file: survey.csv}\n", "", 1)
		d := r.apply(t, closed)
		var b strings.Builder
		b.WriteString("no,sex,age,district,answer\n")
		for n := range 8 * batchRows { // it is looked at every millisecond whether it has begun: it is stopped long before its end
			age := "20대"
			if n >= 6*batchRows {
				age = fmt.Sprint(n, "세")
			}
			fmt.Fprintf(&b, "%d,남,%s,종로구,찬성\n", n, age)
		}
		i, err := r.Begin(t.Context(), By{Actor: "clerk", Via: "api"}, d, Upload{File: "x.csv", Size: int64(b.Len()), Fingerprint: "f"})
		for err == nil && i.State == Receiving {
			i, err = r.Receive(t.Context(), i.ID, i.Received, strings.NewReader(b.String()[i.Received:min(i.Received+ChunkBytes, int64(b.Len()))]))
		}
		if err != nil {
			t.Fatal(err)
		}
		opened := false
		dataset := func(project, name string) *catalog.Dataset { // it is asked for before the file is gone on with
			if now, err := r.Import(t.Context(), i.ID); err == nil && now.Rows > 0 && !opened {
				opened = true
				r.apply(t, strings.Replace(closed, "class: internal", "class: public", 1))
			}
			return r.catalog.Snapshot().Dataset(project, name)
		}
		ctx, stop := context.WithCancel(t.Context())
		go func() { // the server is stopped in the middle
			for ctx.Err() == nil {
				if now, err := r.Import(context.WithoutCancel(ctx), i.ID); err == nil && now.Rows > 0 {
					stop()
				}
				time.Sleep(time.Millisecond)
			}
		}()
		_ = r.Run(ctx, i.ID, dataset)
		if now, err := r.Import(t.Context(), i.ID); err != nil || now.Rows == 0 || now.State == Done {
			t.Fatalf("it wasn't stopped in the middle: %+v %v", now, err)
		}
		if err := r.Run(t.Context(), i.ID, dataset); err != nil {
			t.Fatal(err)
		}
		if after, err := r.Import(t.Context(), i.ID); err != nil || after.State != Failed || !strings.Contains(after.Reason.En, "fewer than 5") || !opened {
			t.Errorf("opened %v: %+v %s %v", opened, after.State, after.Reason.En, err)
		}
		_ = r.Stream(t.Context(), r.catalog.Snapshot().Dataset(d.Project, d.Name), Query{}, func(rec *Record) error {
			if rec.Values[2] != "20대" {
				t.Fatalf("record %s is open to all", rec.Key)
			}
			return nil
		})
	})
}

func TestADatasetIsntOpenedWithPersonalValues(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(surveyed(6, func(n int) string { return fmt.Sprintf("010-2345-%04d", n) })), 0o600); err != nil {
			t.Fatal(err)
		}
		r.apply(t, fmt.Sprintf(openPeople, "internal", ""))
		if i, _ := r.read(t, from); i.State != Done || i.Loaded != 24 {
			t.Fatalf("%+v", i)
		}
		if codes := r.try(t, fmt.Sprintf(openPeople, "public", ""), false); !slices.Contains(codes, "open.personal") {
			t.Errorf("opened: %s", codes)
		}
		d := r.apply(t, fmt.Sprintf(openPeople, "public", ", basis: 공공데이터법 제17조"))
		if p, err := r.Profile(t.Context(), d); err != nil || p.Opening.Based["answer"] != "공공데이터법 제17조" {
			t.Errorf("on a legal ground: %+v %v", p.Opening, err)
		}
	})
}

// Rows that are rejected hide nobody: whom they were like stands alone.
func TestRejectedRowsHideNobody(t *testing.T) {
	for what, more := range map[string]string{"with a phone number": "9002,여,97세,종로구,연락 01012345678", "of a number that there is": "%d,여,97세,종로구,찬성"} {
		onBoth(t, func(t *testing.T, r *room) {
			from, folder := sources(t)
			d := r.apply(t, fmt.Sprintf(openPeople, "public", ""))
			text := surveyed(300, agreeable) + "9001,여,97세,종로구,찬성\n"
			for n := range 4 {
				row := strings.ReplaceAll(more, "9002", fmt.Sprint(9002+n))
				if strings.Contains(row, "%d") {
					row = fmt.Sprintf(row, n+1)
				}
				text += row + "\n"
			}
			if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			i, _ := r.read(t, from)
			if i == nil || i.State != Failed || !strings.Contains(i.Reason.En, "fewer than") || r.counted(t, d) != 0 {
				t.Errorf("%s: %+v", what, i)
			}
		})
	}
}

// Of a dataset with a field that isn't open nobody reads the others either: nothing looked at them.
func TestADatasetIsOpenAsAWholeOrNotAtAll(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, strings.Replace(fmt.Sprintf(openPeople, "public", ""), "source:", "  memo: {type: string, class: internal}\nsource:", 1))
		for _, who := range []*identity.Principal{{}, {Kind: identity.Citizen, Person: "1"}, {Kind: identity.Official, Agency: "elsewhere", Roles: []identity.Role{identity.Steward}}} {
			if part, err := Readable(who, d, identity.Place{Project: "trial", Owners: []string{"hall"}}); err == nil {
				t.Errorf("%s reads %v", who.Kind, part.FieldNames())
			}
		}
	})
}

func TestTablesOfGroupsArentTakenForPersons(t *testing.T) {
	for _, c := range []struct {
		fields string
		traits string
	}{
		{"성별 연령대 자치구 인구수:int", ""},
		{"성별 연령대 자치구 응답", "성별 연령대 자치구"},
		{"시설명 자치구 전화", ""},
		{"자치구* 성별* 응시율:double", ""},            // laid out by its traits
		{"자치구 성별 응시율:double", "성별 자치구"},        // a person may have a rate too
		{"번호* 성별 연령 상담건수:int", "성별 연령"},        // and a count
		{"번호* 성별 연령 월평균소득:int", "성별 연령 월평균소득"}, // and an average, which tells by itself
		{"번호* 성별 연령 동거인원:int", "성별 연령"},        // and relatives
		{"번호* 성별 연령 동반 인원:int", "성별 연령"},       // and company
		{"번호* 성별 연령 자녀명수:int", "성별 연령"},
		{"자치구* 성별* 연령대* 참여 인원:int", ""},
		{"연월* 자치구* 연령대* 이용건수:int 평균소득:int", ""},
		{"출생연도 직업 만족도", "출생연도 직업"},
	} {
		d := &catalog.Dataset{Spec: &manifest.Dataset{}}
		for i, name := range strings.Fields(c.fields) {
			title, typ, _ := strings.Cut(name, ":")
			f := catalog.Field{}
			title, f.KeyPart = strings.CutSuffix(title, "*")
			f.Name, f.Title.Ko, f.Type = fmt.Sprintf("f%d", i), title, "string"
			if typ != "" {
				f.Type = map[string]manifest.Type{"int": "int", "double": "double"}[typ]
			}
			d.Fields = append(d.Fields, f)
		}
		var got []string
		o := newOpening(d)
		for n := range int64(20) {
			values := make([]any, len(d.Fields))
			for i := range d.Fields {
				switch d.Fields[i].Type {
				case manifest.Int:
					values[i] = n + 7
				case manifest.Double:
					values[i] = float64(n) + 0.5
				default:
					values[i] = "값"
				}
			}
			o.add(values)
		}
		for _, name := range o.end(nil).Traits {
			got = append(got, d.Field(name).Title.Ko)
		}
		if strings.Join(got, " ") != c.traits {
			t.Errorf("%s: %v", c.fields, got)
		}
	}
}

func TestAWorkbookThatIsGivenUpLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, "kind: Dataset\nname: n\ntitle: 수\nkey: [no]\nfields:\n  no: {type: int, class: public}\n  text: {type: string, class: public}\n")
		_, err := r.Load(t.Context(), By{Actor: "test", Via: "test"}, d, "test", []string{"no", "text"}, func(yield func([]any) bool) {
			for i := range int64(60_000) {
				if !yield([]any{i, strings.Repeat("가나다", 100) + fmt.Sprint(i)}) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		form, _ := FormNamed("xlsx")
		fields, err := r.Check(d, Query{})
		if err != nil {
			t.Fatal(err)
		}
		out := form.write(io.Discard, fields)
		n := 0
		err = r.Stream(t.Context(), d, Query{}, func(rec *Record) error {
			if n++; n > 50_000 {
				return errors.New("the client went away")
			}
			return out.Write(rec)
		})
		if err == nil {
			t.Fatal("it went on")
		}
		abort(out)
		left, err := os.ReadDir(os.Getenv("TMPDIR"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range left {
			if strings.Contains(f.Name(), "excelize") {
				t.Errorf("%s is left", f.Name())
			}
		}
	})
}
