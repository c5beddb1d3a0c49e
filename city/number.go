package city

import "strconv"

// Identifiers are made of a person's or household's number, which no two share: by the one who loads them (see [Population.Identified]), or else by
// bijections that say nothing.

const idBits = 60 // twelve characters of base 32

// personID is the value of the term person: p and twelve characters.
func (p *Population) personID(one *person) string {
	if p.identify != nil {
		return p.identify(p.project, "person", numberOf(one.ordinal))
	}
	return p.opaque('p', one.ordinal)
}

// numberOf is a number as the city knows people by: from 1 on, of 32 bits.
func numberOf(ordinal uint64) int64 { return int64(ordinal) + 1 }

// householdID is the value of the term household: h and twelve characters.
func (p *Population) householdID(h *household) string {
	if p.identify != nil {
		return p.identify(p.project, "household", numberOf(h.index))
	}
	return p.opaque('h', h.index)
}

func (p *Population) opaque(first byte, n uint64) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	const mask = 1<<idBits - 1
	x := (n ^ mix(p.seed+uint64(first))) & mask
	for range 2 { // xor-shift and multiplication by an odd number are bijections of 60 bits
		x = (x ^ x>>31) * 0x9e3779b97f4a7c15 & mask
	}
	x ^= x >> 29
	id := [13]byte{first}
	for i := 1; i < len(id); i++ {
		id[i] = letters[x&31]
		x >>= 5
	}
	return string(id[:])
}

// monthShift is added to the month in resident numbers, as Norway does for its synthetic test persons: months 81–92 don't
// exist, so no number here is or will be anyone's.
const monthShift = 80

// residentNumber is YYMMDD-GNNNNNN with the month shifted. G says sex, century and whether a foreigner, as in real numbers; the rest is
// random, as in those given since October 2020.
func (p *Population) residentNumber(one *person) string {
	y, m, d := one.birth.date()
	g := 1
	if !one.male {
		g = 2
	}
	if y >= 2000 {
		g += 2
	}
	if one.foreign {
		g += 4
	}
	tail := mix(p.seed^mix(one.ordinal)) % 1_000_000
	n := uint64(y%100)*10000 + uint64(m+monthShift)*100 + uint64(d)
	var b [14]byte
	digits(b[:6], n)
	b[6] = '-'
	b[7] = byte('0' + g)
	digits(b[8:], tail)
	return string(b[:])
}

// digits writes n with leading zeros.
func digits(into []byte, n uint64) {
	for i := len(into) - 1; i >= 0; i-- {
		into[i] = byte('0' + n%10)
		n /= 10
	}
}

func numbered(prefix string, n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return prefix + s
}
