package city

import (
	"strconv"
	"sync"
)

// roots are made-up names of roads; facilities and buildings bear them too.
var roots = sync.OnceValue(func() []string {
	var out []string
	for _, r := range table("roads.csv") {
		out = append(out, r["root"])
	}
	return out
})

// roadsPerDistrict is how many of the roots a district uses. Neighbouring districts share some, as real ones do.
const roadsPerDistrict = 12

// road is a road name of a district, with the number of its side street: 솔빛로, 솔빛로12길.
func road(district int, seed uint64) string {
	all := roots()
	root := all[(district*7+int(seed%roadsPerDistrict))%len(all)]
	name := root + "로"
	if side := seed / roadsPerDistrict % 40; side > 9 {
		name += strconv.Itoa(int(side-9)) + "길"
	}
	return name
}

// address is the household's address: road name and number, then building, 동 and 호 as its kind of dwelling has them.
func (h *household) address(seed uint64) string {
	x := mix(seed ^ mix(h.index))
	out := "서울특별시 " + h.place.ko + " " + road(int(h.district), x) + " " + strconv.Itoa(1+int(x>>16%180))
	floor, door := int(x>>24%15)+1, int(x>>32%6)+1
	name := roots()[x>>40%uint64(len(roots()))]
	switch h.dwelling {
	case apartment:
		return out + ", " + name + "아파트 " + strconv.Itoa(101+int(x>>48%12)) + "동 " + strconv.Itoa(floor*100+door) + "호"
	case officetel:
		return out + ", " + name + "오피스텔 " + strconv.Itoa(floor*100+door*3) + "호"
	case rowHouse:
		return out + ", " + name + "빌라 " + strconv.Itoa((floor%5+1)*100+door) + "호"
	}
	return out
}

// placeAddress is the address of a facility of a district.
func placeAddress(district int, x uint64) string {
	return "서울특별시 " + places()[district].ko + " " + road(district, x) + " " + strconv.Itoa(1+int(x>>16%180))
}
