package console

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/engine/lang"
)

func TestPagesOfAListShowEachEntryOnceForwardsAndBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(0, 200).Draw(t, "n"), rapid.IntRange(1, 60).Draw(t, "size")
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint("entry", i))
		}
		self := func(s string) string { return s }
		var seen []string
		q, last := url.Values{}, url.Values{}
		for range n + 1 {
			page, s := cut(list, self, q, size)
			seen = append(seen, page...)
			if len(page) > 0 && (s.First > s.Last || s.Total != n) {
				t.Fatalf("slice %+v", s)
			}
			last = q
			if s.After == "" {
				break
			}
			q = url.Values{"after": {s.After}}
		}
		if !slices.Equal(seen, list) {
			t.Fatalf("forwards: %v", seen)
		}
		for range n + 1 {
			page, s := cut(list, self, last, size)
			if s.Before == "" {
				if len(page) > 0 && page[0] != list[0] {
					t.Fatalf("backwards it ends at %v", page)
				}
				return
			}
			last = url.Values{"before": {s.Before}}
		}
		t.Fatal("backwards there is no end")
	})
}

func TestAnEntryThatIsGoneLeadsToTheFirstPage(t *testing.T) {
	page, _ := cut([]string{"a", "b", "c"}, func(s string) string { return s }, url.Values{"after": {"gone"}}, 2)
	if !slices.Equal(page, []string{"a", "b"}) {
		t.Errorf("got %v", page)
	}
}

func TestTheTitleThatIsTheQueryComesFirst(t *testing.T) {
	got := ranked([]lang.Text{lang.T("자치구 코드", "district code"), lang.T("옛 자치구", "former district"), lang.T("자 치구", "district")}, "자치구", func(x lang.Text) lang.Text { return x })
	if got[0].Ko != "자 치구" || got[1].Ko != "자치구 코드" || got[2].Ko != "옛 자치구" {
		t.Errorf("got %v", got)
	}
}
