package web_test

import (
	"context"
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/webtest"
)

func TestACitizenGetsAKeyOfTheOpenAPIAndDeletesIt(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { return settled(t) }, func(w *walk) {
		w.open("/data/public-toilets/toilets")
		w.press(`main a[href="/my/open-keys"]`)
		w.press(`.maru-accounts button[value="haneul"]`)
		w.at("/my/open-keys")
		w.says(".maru-empty", "아직 발급받으신 인증키가 없습니다", "You have no keys yet")
		w.looks("open-keys-none")
		w.press("main form.maru-buttons button")
		w.says(".maru-alert.success", "한 번만 보여 드리므로", "only this once")
		key := strings.TrimSpace(w.Text("#new-key"))
		if known, err := w.doors.Known(w.t.Context(), key); err != nil || !known {
			w.t.Errorf("the key %q isn't known: %v", key, err)
		}
		w.says(".maru-keys", key[len(key)-4:]+"로 끝나는 인증키", "Key ending in "+key[len(key)-4:])
		w.looks("open-keys")
		w.open("/my")
		w.press(`main a[href="/my/open-keys"]`)
		if strings.Contains(w.Text("main"), key) {
			w.t.Error("a key is shown twice")
		}
		w.press(".maru-keys button")
		w.says(".maru-alert.success", "인증키를 삭제했습니다", "has been deleted")
		if webtest.Eval[bool](w.Browser, "!!document.querySelector('.maru-keys')") {
			w.t.Error("it is still listed")
		}
	})
}

func TestAnOpenDatasetsPageSaysHowOldItIsAndUnderWhichTerms(t *testing.T) {
	c := settled(t)
	s := serve(t, c)
	_, page := get(t, s.URL+"/data/public-toilets/toilets")
	for _, want := range []string{"최근 변경", "(방금)", "이용 조건이 정해지지 않았습니다", `"dateModified"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, `"license"`) {
		t.Error("a licence is claimed that isn't stated")
	}
}

// troubled are records of which a source has been in trouble for three days.
type troubled struct{ *registry.Registry }

func (r troubled) SourceState(context.Context, *catalog.Dataset) (*registry.SourceState, error) {
	return &registry.SourceState{Good: now.Add(-72 * time.Hour), Tried: now, Failed: 4, Code: "source.unreachable", Reason: lang.T("10.0.0.7:5432에 연결할 수 없습니다", "can't connect to 10.0.0.7:5432")}, nil
}

func TestASourceInTroubleIsToldWithTheAgeOfWhatIsSeen(t *testing.T) {
	c := settled(t)
	apply(t, c, map[string]string{"village-courses/project.yaml": lessons}, "강좌")
	s := serveTo(t, c, &identity.Principal{}, troubled{c.registry})
	for language, want := range map[string]string{"ko": "마지막으로 정상 확인한 2026.11.21.(토) 09:30(3일 전)의 자료를", "en": "its last good state, of 21 Nov 2026 (Sat) 09:30 (3 days ago)"} {
		_, page := get(t, s.URL+"/data/village-courses/courses?lang="+language, "Accept-Language", language)
		if !strings.Contains(page, want) {
			t.Errorf("%s: the page doesn't say %q", language, want)
		}
		if strings.Contains(page, "10.0.0.7") {
			t.Error("the page tells where the source is")
		}
	}
	if _, page := get(t, serve(t, c).URL+"/data/village-courses/courses"); strings.Contains(page, "마지막으로 정상") {
		t.Error("a source that is well is said to be in trouble")
	}
}

const trees = `
kind: Project
name: trees
title: {ko: 가로수, en: Street trees}
owner: administration
---
kind: Dataset
name: trees
title: {ko: 가로수, en: Street trees}
key: [no]
fields:
  no:        {type: int, class: public, title: {ko: 번호, en: Number}}
  kind:      {type: string, class: public, title: {ko: 수종, en: Kind}}
  girth:     {type: double, class: public, title: {ko: 둘레, en: Girth}, unit: cm}
  planted:   {type: date, class: public, title: {ko: 심은 날, en: Planted}}
  longitude: {type: double, class: public, title: {ko: 경도, en: Longitude}}
  latitude:  {type: double, class: public, title: {ko: 위도, en: Latitude}}
`

// planted is a house with n trees, one beside the other from west to east. Of five the first two are maples.
func planted(t testing.TB, n int) *place {
	t.Helper()
	c := settled(t)
	apply(t, c, map[string]string{"trees/project.yaml": trees}, "가로수")
	rows := func(yield func([]any) bool) {
		for i := range n {
			kind, girth := "은행나무", any(float64(i%5*10))
			if i%5 < 2 {
				kind = "단풍나무"
			}
			if i%5 == 4 {
				girth = nil
			}
			day := time.Date(2025, 1+time.Month(i%5), 1+i%28, 0, 0, 0, 0, time.UTC).Format(manifest.DateLayout)
			if !yield([]any{int64(i), kind, girth, day, 127 + float64(i*10_000/n)/10_000, 37.5}) {
				return
			}
		}
	}
	d := c.Snapshot().Dataset("trees", "trees")
	if _, err := c.registry.Load(t.Context(), registry.By{Actor: "test", Via: "test"}, d, "test", d.FieldNames(), rows); err != nil {
		t.Fatal(err)
	}
	return c
}

// cells are the texts of a table's cells, row by row.
func cells(page, id string) (out []string) {
	_, page, _ = strings.Cut(page, `id="`+id+`"`)
	page, _, _ = strings.Cut(page, "</table>")
	for _, row := range regexp.MustCompile(`(?s)<tr>.*?</tr>`).FindAllString(page, -1) {
		text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(strings.ReplaceAll(row, "</t", " </t"), "")
		out = append(out, strings.Join(strings.Fields(text), " "))
	}
	return out
}

func TestAChartShowsSumsAndMeansAndTimeInItsOrder(t *testing.T) {
	s := serve(t, planted(t, 100))
	for _, x := range []struct{ query, title, rows string }{
		{"", "수종별 레코드 수: 가장 많은 값은 ‘은행나무’", "수종 레코드 수 그래프|은행나무 60|단풍나무 40"},
		{"?by=kind&of=sum.girth", "수종별 둘레 합계: 가장 큰 값은 ‘은행나무’", "수종 둘레 합계 (cm) 그래프|은행나무 1,000|단풍나무 200"},
		{"?by=kind&of=mean.girth", "수종별 둘레 평균: 가장 큰 값은 ‘은행나무’", "수종 둘레 평균 (cm) 그래프|은행나무 25|단풍나무 5"},
		{"?by=planted&of=count", "심은 날(월)별 레코드 수", "심은 날(월) 레코드 수 그래프|2025년 1월 20|2025년 2월 20|2025년 3월 20|2025년 4월 20|2025년 5월 20"},
		{"?by=planted&of=sum.girth", "심은 날(월)별 둘레 합계: 가장 큰 값은 ‘2025년 4월’", "심은 날(월) 둘레 합계 (cm) 그래프|2025년 1월 0|2025년 2월 200|2025년 3월 400|2025년 4월 600"},
		{"?by=nope&of=sum.no", "수종별 레코드 수", "수종 레코드 수 그래프|은행나무 60|단풍나무 40"}, // a key isn't added up
	} {
		_, page := get(t, s.URL+"/data/trees/trees"+x.query)
		if !strings.Contains(page, x.title) {
			t.Errorf("%s: no title %q", x.query, x.title)
		}
		if got := strings.Join(cells(page, "bars"), "|"); got != x.rows {
			t.Errorf("%s: %s", x.query, got)
		}
	}
	if _, page := get(t, s.URL+"/data/trees/trees?by=kind&of=sum.girth"); !strings.Contains(page, "‘둘레’ 값이 없는 레코드 20건") {
		t.Error("it doesn't say that some have no value")
	}
}

const homes = `
kind: Project
name: homes
title: {ko: 가구, en: Homes}
owner: administration
---
kind: Dataset
name: homes
title: {ko: 가구, en: Homes}
key: [district]
fields:
  district: {type: string, class: public, title: {ko: 자치구, en: District}}
  homes:    {type: int, class: public, title: {ko: 가구 수, en: Homes}}
`

func TestATableOfTotalsIsChartedByItsNames(t *testing.T) {
	c := settled(t)
	apply(t, c, map[string]string{"homes/project.yaml": homes}, "가구")
	rows := func(yield func([]any) bool) {
		_ = yield([]any{"강남구", int64(70)}) && yield([]any{"종로구", int64(30)}) && yield([]any{"중구", nil})
	}
	d := c.Snapshot().Dataset("homes", "homes")
	if _, err := c.registry.Load(t.Context(), registry.By{Actor: "test", Via: "test"}, d, "test", d.FieldNames(), rows); err != nil {
		t.Fatal(err)
	}
	s := serve(t, c)
	for _, query := range []string{"", "?by=district&of=count"} { // each name stands once: no count is offered
		_, page := get(t, s.URL+"/data/homes/homes"+query)
		if got, want := strings.Join(cells(page, "bars"), "|"), "자치구 가구 수 합계 그래프|강남구 70|종로구 30"; got != want {
			t.Errorf("%q: %s", query, got)
		}
	}
}

func TestAMapLeavesNoPartOut(t *testing.T) {
	for n, said := range map[int]string{
		3_000:  "레코드 3,000건을 모두",
		12_000: "레코드 12,000건 가운데 전체에서 고르게 뽑은 4,000건",
		60_000: "레코드 60,000건 가운데 앞의 50,000건에서 고르게 뽑은 5,000건",
	} {
		_, page := get(t, serve(t, planted(t, n)).URL+"/data/trees/trees")
		if !strings.Contains(page, said) {
			t.Errorf("%d: it doesn't say %q", n, said)
		}
		_, path, _ := strings.Cut(page, `class="dots many" d="`)
		path, _, _ = strings.Cut(path, `"`)
		east := 0
		for _, dot := range strings.Split(path, "M")[1:] {
			x, err := strconv.Atoi(strings.Fields(dot)[0])
			if err != nil {
				t.Fatal(err)
			}
			if x-east > 21 && east > 0 {
				t.Errorf("%d: nothing between %d and %d", n, east, x)
			}
			east = max(east, x)
		}
		if east != 620 {
			t.Errorf("%d: the last is at %d", n, east)
		}
		if len(page) > 200_000 {
			t.Errorf("%d: the page has %d bytes", n, len(page))
		}
	}
}

func TestReadyRequestsKeepTheZerosOfCodes(t *testing.T) {
	s := serve(t, settled(t))
	_, page := get(t, s.URL+"/data/bike-share/bike-stations")
	page = html.UnescapeString(page)
	for _, want := range []string{"records?as=csv\",\n    dtype={\"station_no\": str, \"name\": str, \"district\": str},\n)", `colClasses = c(station_no = "character", name = "character", district = "character"))`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
