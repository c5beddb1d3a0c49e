package keys

import "testing"

func TestEachNumberHasAnAliasOfItsOwn(t *testing.T) {
	one, two := open(t, t.TempDir(), nil), open(t, t.TempDir(), nil)
	seen := make(map[uint32]uint32, 1<<17)
	same := 0
	for _, from := range []uint32{0, dense - 1<<15, 1<<32 - 1<<15} {
		for i := range uint32(1 << 15) {
			n := from + i
			a := one.Alias(n)
			if was, twice := seen[a]; twice {
				t.Fatalf("%d and %d have the alias %d", was, n, a)
			}
			if seen[a] = n; (a < dense) != (n < dense) || (a == 0) != (n == 0) || a != one.Alias(n) {
				t.Fatalf("%d: %d", n, a)
			}
			if a == n || a == two.Alias(n) {
				same++
			}
		}
	}
	if same > 20 { // by chance
		t.Errorf("%d of %d are what they were, or the same by another key", same, len(seen))
	}
	// Those who follow one another are scattered: neighbours' aliases differ in half of their bits, more or less.
	bits := 0
	for n := uint32(1000); n < 2000; n++ {
		for x := one.Alias(n) ^ one.Alias(n+1); x != 0; x &= x - 1 {
			bits++
		}
	}
	if bits < 11_000 || bits > 13_000 {
		t.Errorf("%d of 24,000 bits differ", bits)
	}
}

func BenchmarkAlias(b *testing.B) {
	r := open(b, b.TempDir(), nil)
	for b.Loop() {
		r.Alias(123_456)
	}
}
