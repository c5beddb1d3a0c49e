package mask

import (
	"math"
	"testing"
)

func TestMasks(t *testing.T) {
	keyed := func(s string) (string, error) { return "keyed " + s, nil }
	for _, c := range []struct {
		mask    string
		in, out any
	}{
		{"month", "1999-03-14", "1999-03"},
		{"month", "2026-11-25T00:00:00.000Z", "2026-11"},
		{"year", "1999-03-14", int64(1999)},
		{"first-letters", "김하늘", "김**"},
		{"first-letters", "남궁 민", "남* 민"},
		{"first-letters", "Alexandria Ocasio", "A*** O***"},
		{"first-letters", "", ""},
		{"district", "서울특별시 종로구 솔빛로 12, 101동 1203호", "서울특별시 종로구"},
		{"district", "경기도 고양시 일산동구 강석로 1", "경기도 고양시 일산동구"},
		{"district", "경기도 가평군 설악면 1", "경기도 가평군"},
		{"district", "세종특별자치시 한누리대로 1", nil},
		{"district", "어딘가", nil},
		{"thousands", int64(1_499), int64(1_000)},
		{"thousands", int64(1_500), int64(2_000)},
		{"thousands", int64(-1_500), int64(-1_000)},
		{"thousands", 2_500.0, 3_000.0},
		{"thousands", int64(math.MaxInt64), int64(9_223_372_036_854_775_000)},
		{"thousands", int64(math.MinInt64), int64(-9_223_372_036_854_775_000)},
		{"thousands", int64(math.MinInt64 + 300), int64(-9_223_372_036_854_775_000)},
		{"thousands", int64(math.MinInt64 + 808), int64(-9_223_372_036_854_775_000)},
		{"hash", "x", "keyed x"},
		{"hidden", "x", true},
	} {
		m, ok := Named(c.mask)
		if !ok {
			t.Fatalf("no mask %s", c.mask)
		}
		if got, err := m.Apply(c.in, keyed); err != nil || got != c.out {
			t.Errorf("%s of %v is %v, not %v (%v)", c.mask, c.in, got, c.out, err)
		}
	}
	if _, ok := Named("none"); ok {
		t.Error("a mask that isn't")
	}
}
