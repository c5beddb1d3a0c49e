package outlet

import (
	"context"
	"slices"

	"github.com/maru-city/maru/engine/lang"
)

// terms of use, by CKAN's names where it has one (licenses.opendefinition.org, kogl.or.kr). Only what lets everybody use, change and pass on is open by the Open Definition: of the
// KOGL's types the first alone.
var licences = []struct {
	id, url string
	title   lang.Text
	open    bool
}{
	{unlicensed, "", lang.T("이용 조건이 정해지지 않음", "License not specified"), false},
	{"KOGL-1", kogl, lang.T("공공누리 제1유형", "KOGL Type 1"), true},
	{"KOGL-2", kogl, lang.T("공공누리 제2유형", "KOGL Type 2"), false},
	{"KOGL-3", kogl, lang.T("공공누리 제3유형", "KOGL Type 3"), false},
	{"KOGL-4", kogl, lang.T("공공누리 제4유형", "KOGL Type 4"), false},
	{"CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/", lang.T("CC0 1.0", "CC0 1.0"), true},
	{"CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/", lang.T("CC BY 4.0", "CC BY 4.0"), true},
	{"CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/", lang.T("CC BY-SA 4.0", "CC BY-SA 4.0"), true},
	{"ODC-BY-1.0", "https://opendatacommons.org/licenses/by/1-0/", lang.T("ODC-BY 1.0", "ODC-BY 1.0"), true},
	{"ODbL-1.0", "https://opendatacommons.org/licenses/odbl/1-0/", lang.T("ODbL 1.0", "ODbL 1.0"), true},
	{"ODC-PDDL-1.0", "https://opendatacommons.org/licenses/pddl/1-0/", lang.T("ODC-PDDL 1.0", "ODC-PDDL 1.0"), true},
}

const (
	unlicensed = "notspecified" // CKAN's name for no licence
	kogl       = "https://www.kogl.or.kr/info/license.do"
)

// licence is a dataset's licence as CKAN names it, its title and whether it is open. Of one that isn't known nothing is claimed.
func (i *item) licence() (id, name string, open bool) {
	if id = i.Spec.Licence; id == "" {
		id = unlicensed
	}
	for _, l := range licences {
		if l.id == id {
			return id, title(l.title), l.open
		}
	}
	return id, id, false
}

// licenseList lists the licences that are known, and those that datasets have beside.
func licenseList(_ *Outlets, _ context.Context, s *shelf, _ arguments) (any, error) {
	var out []any
	var seen []string
	add := func(id, name, url string, open bool) {
		conformance := map[bool]string{true: "approved", false: "not reviewed"}[open]
		out = append(out, map[string]any{"id": id, "title": name, "url": url, "status": "active", "family": "", "maintainer": "", "is_generic": false, "od_conformance": conformance, "osd_conformance": "not reviewed", "domain_content": true, "domain_data": true, "domain_software": false})
		seen = append(seen, id)
	}
	for _, l := range licences {
		add(l.id, title(l.title), l.url, l.open)
	}
	for _, i := range s.items {
		if id, name, open := i.licence(); !slices.Contains(seen, id) {
			add(id, name, "", open)
		}
	}
	return out, nil
}
