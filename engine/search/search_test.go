package search

import (
	"strings"
	"testing"
	"time"
)

var some = []Document{
	{ID: "rent", Titles: []string{"청년월세지원", "Youth rent support"}, Texts: []string{"혼자 사는 만 19–39세 청년에게 월세를 매달 최대 20만 원, 12개월 동안 지원합니다.", "Up to KRW 200,000 of rent a month for 12 months."}},
	{ID: "moving", Titles: []string{"청년 이사비 지원", "Moving costs for the young"}, Texts: []string{"이사한 청년에게 중개보수와 이사비를 지원합니다."}},
	{ID: "birth", Titles: []string{"첫만남이용권", "First meeting voucher"}, Texts: []string{"아이가 태어난 가정에 200만 원의 이용권을 드립니다.", "For families to whom a child was born."}},
	{ID: "pension", Titles: []string{"기초연금", "Basic pension"}, Texts: []string{"65세 이상 어르신에게 매달 연금을 드립니다.", "For people of 65 and older."}},
	{ID: "repair", Titles: []string{"집수리 지원", "Home repair"}, Texts: []string{"낡은 집을 고치는 비용을 지원합니다."}},
	{ID: "month", Titles: []string{"이 달의 행사"}, Texts: []string{"11월 3일부터 새 전시를 합니다."}},
	{ID: "toilets", Titles: []string{"공중화장실", "Public toilets"}},
	{ID: "bikes", Titles: []string{"자전거 대여소", "Bike stations"}},
	{ID: "care", Titles: []string{"서울형 아이돌봄비", "Seoul child care"}, Texts: []string{"손주를 돌보는 조부모에게 돌봄비를 드립니다."}},
}

// withDictionary waits for the dictionary.
func withDictionary(t testing.TB) {
	t.Helper()
	dictionaryOnce.load()
	select {
	case <-dictionaryOnce.ready:
	case <-time.After(time.Minute):
		t.Fatal("the dictionary isn't loaded")
	}
}

func TestWhatPeopleWriteFindsIt(t *testing.T) {
	x := New(some)
	if got, err := x.Search("월세", 10); err != nil || len(got.Hits) != 1 || got.Hits[0].ID != "rent" { // before the dictionary is there
		t.Errorf("%+v %v", got, err)
	}
	withDictionary(t)
	for _, c := range []struct{ query, first, instead string }{
		{"월세", "rent", ""},
		{"rent", "rent", ""},
		{"RENTS", "rent", ""},
		{"월세를 지원받고 싶어요", "rent", ""},
		{"청년 월 세 지원", "rent", ""},
		{"청년월세", "rent", ""},
		{"월새", "rent", "월세"},
		{"월새를", "rent", "월세"},
		{"청년월새지원", "rent", "청년월세지원"},
		{"dnjftp", "rent", "월세"},
		{"rlchdusrma", "pension", "기초연금"},
		{"기초 연금", "pension", ""},
		{"기촉연금", "pension", "기초연금"},
		{"penshion", "pension", "pension"},
		{"이사", "moving", ""},
		{"집", "repair", ""},
		{"아이가 태어났어요", "birth", ""},
		{"born", "birth", ""},
		{"공중 화장실", "toilets", ""},
		{"화장실", "toilets", ""},
		{"화쟝실", "toilets", "화장실"},
		{"돌봄", "care", ""},
		{"자전거 대여", "bikes", ""},
		{"자전거대여", "bikes", ""},
		{"자전거 대여서", "bikes", "자전거대여소"},
		{"우주여행", "", ""},
		{"", "", ""},
		{"!?…", "", ""},
		{"xqzw", "", ""},
	} {
		got, err := x.Search(c.query, 10)
		first := ""
		if len(got.Hits) > 0 {
			first = got.Hits[0].ID
		}
		if err != nil || first != c.first || got.Instead != c.instead {
			t.Errorf("%q: %q instead %q, want %q instead %q: %v", c.query, first, got.Instead, c.first, c.instead, err)
		}
	}
	if _, err := x.Search(strings.Repeat("월세 ", 10_000), 10); err != nil {
		t.Error(err)
	}
	if _, err := x.Search("\xff\x00 +title:\"월세\" *~^4 (", 10); err != nil { // no language of queries
		t.Error(err)
	}
}

func TestSlips(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"월세", "월세", 0}, {"월세", "월새", 1}, {"월세", "웓세", 1}, {"rent", "rnet", 1}, {"rent", "ren", 1}, {"rent", "tenr", 2}, {"가", "나다라마", 3},
	} {
		if got := distance(jamo(c.a), jamo(c.b), 2); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	for keys, want := range map[string]string{"dnjftp": "월세", "rlchdusrma": "기초연금", "cjdsus": "청년", "dlfrrl": "읽기", "rkqt": "값", "ekfr": "닭", "Ekf": "딸", "qhwnddj": "보중어"} {
		if got, ok := typed(keys); ok && got != want || !ok {
			t.Errorf("%s: %s, want %s", keys, got, want)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	withDictionary(b)
	x := New(some)
	for b.Loop() {
		if _, err := x.Search("월새를 지원받고 싶어요", 10); err != nil {
			b.Fatal(err)
		}
	}
}
