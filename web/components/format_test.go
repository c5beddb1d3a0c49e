package components

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

var (
	korean  = lang.With(context.Background(), lang.Ko)
	english = lang.With(context.Background(), lang.En)
)

func TestNumbersAndDatesReadAsPeopleWriteThem(t *testing.T) {
	at := time.Date(2026, 11, 23, 5, 5, 0, 0, time.UTC) // 14:05 in Seoul
	for _, x := range []struct{ got, want string }{
		{Number(0), "0"},
		{Number(999), "999"},
		{Number(1000), "1,000"},
		{Number(-1234567), "-1,234,567"},
		{Number(-999), "-999"},
		{Decimal(37.5665), "37.5665"},
		{Decimal(1234567.25), "1,234,567.25"},
		{Decimal(-1000), "-1,000"},
		{Won(korean, 1234567), "1,234,567원"},
		{Won(english, 1234567), "₩1,234,567"},
		{WonShort(korean, 12_000_000_000), "120억원"},
		{WonShort(korean, 1_230_000_000), "12.3억원"},
		{WonShort(korean, 9_999), "9,999원"},
		{WonShort(korean, 2_500_000_000_000), "2.5조원"},
		{WonShort(english, 1_230_000_000), "₩1.2bn"},
		{Amount(korean, 2564238, "KRW/month"), "월 2,564,238원"},
		{Amount(korean, 1_234_567, "KRW"), "1,234,567원"},
		{Amount(korean, 17_270, "KRW/hour"), "시간당 17,270원"},
		{Amount(korean, 96_960, "KRW/day"), "하루 96,960원"},
		{Amount(korean, 62_000, "KRW/30 days"), "30일당 62,000원"},
		{Amount(korean, 0.04, "ratio/year"), "연 4%"},
		{Amount(korean, 0.0417, "ratio"), "4.17%"},
		{Amount(english, 0.04, "ratio/year"), "0.04 ratio/year"},
		{Amount(korean, 9, "years"), "9년"},
		{Amount(korean, 8, "세"), "8세"},
		{Amount(english, 8, "세"), "8 years"},
		{Amount(english, 2564238, "KRW/month"), "₩2,564,238/month"},
		{Amount(korean, 37.5, "ppm"), "37.5 ppm"},
		{Amount(korean, 4, "%"), "4%"},
		{Amount(english, 3, "명"), "3 people"},
		{Day(korean, at), "2026.11.23.(월)"},
		{Day(english, at), "23 Nov 2026 (Mon)"},
		{Moment(korean, at), "2026.11.23.(월) 14:05"},
		{DayText(korean, "2026-02-28"), "2026.02.28.(토)"},
		{DayText(korean, "unknown"), "unknown"},
		{Percent(1, 3), "33.3%"},
		{Percent(0, 0), ""},
		{Bytes(999), "999 B"},
		{Bytes(1_234_567), "1.2 MB"},
		{Value(korean, manifest.Datetime, "2026-11-23T05:05:00.000Z"), "2026.11.23.(월) 14:05"},
		{Value(english, manifest.Bool, true), "yes"},
		{Value(korean, manifest.Int, nil), ""},
	} {
		if x.got != x.want {
			t.Errorf("got %q, want %q", x.got, x.want)
		}
	}
}

func TestALimitReadsAsPeopleSayIt(t *testing.T) {
	for limit, want := range map[string][2]string{
		"600/min": {"1분에 600번까지", "up to 600 a minute"}, "20/h": {"1시간에 20번까지", "up to 20 an hour"}, "5/s": {"1초에 5번까지", "up to 5 a second"}, "100000/day": {"하루에 100,000번까지", "up to 100,000 a day"},
		"": {"없음", "none"}, "nonsense": {"없음", "none"},
	} {
		a := &manifest.Agreement{Limit: limit}
		if got := [2]string{Rate(korean, a), Rate(english, a)}; got != want {
			t.Errorf("%q: %q, want %q", limit, got, want)
		}
	}
	if got := Purpose("eligibility").In(lang.Ko); got != "자격 확인" {
		t.Errorf("eligibility: %q", got)
	}
	if got := Purpose("bee-keeping"); got != lang.T("bee-keeping", "bee-keeping") {
		t.Errorf("a purpose without a name: %v", got)
	}
}

func TestADayNearMidnightIsSeouls(t *testing.T) {
	if got := Day(korean, time.Date(2026, 12, 31, 15, 30, 0, 0, time.UTC)); got != "2027.01.01.(금)" {
		t.Errorf("got %q", got)
	}
}

func FuzzHighlightLosesNothing(f *testing.F) {
	for _, s := range []string{"kind: Dataset\nname: a\n# 설명\nkey: [a, 'b', \"c\\\"\"]\nn: 1_000\nb: true\n---\n- {term: x}\n", "", "\r\n\t: #", "<script>alert(1)</script>", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var b strings.Builder
		for _, p := range highlight(s) {
			b.WriteString(p.text)
		}
		if b.String() != s {
			t.Errorf("highlight(%q) puts together to %q", s, b.String())
		}
	})
}

func TestHighlightTellsPartsApart(t *testing.T) {
	found := map[string]string{}
	for _, p := range highlight("kind: Term # why\ntitle: \"a: b\"\nlength: 1_000\n---\n") {
		found[p.class] += p.text
	}
	for class, want := range map[string]string{"y-key": "kind: title: length: ", "y-comment": " # why", "y-string": `"a: b"`, "y-number": "1_000", "y-rule": "---"} {
		if found[class] != want {
			t.Errorf("%s: %q, want %q", class, found[class], want)
		}
	}
}
