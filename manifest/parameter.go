package manifest

import (
	"maps"
	"slices"
)

// Parameter is a dated value or table that rules use: the median income by household size, a benefit's cap. A rule takes
// the value in force on its as-of date.
type Parameter struct {
	Title  Text             `yaml:"title" need:"yes" ko:"기준값 이름" en:"Name of the parameter"`
	Unit   string           `yaml:"unit" ko:"단위" en:"Unit"`
	By     string           `yaml:"by" ko:"표에서 값을 찾는 기준 (예: household_size)" en:"What a table is looked up by, such as household_size"`
	Beyond string           `yaml:"beyond" oneof:"error,last_step,last" ko:"마지막 행을 넘을 때: error(오류), last_step(마지막 간격을 다시 더함), last(마지막 값)" en:"Beyond the last row: error, last_step (adds the last step again) or last"`
	Values []ParameterValue `yaml:"values" need:"yes" ko:"시행일별 값" en:"The values, by the day they come into force"`
	Source string           `yaml:"source" ko:"근거 (고시, 법 조문)" en:"Where it is published"`
}

// ParameterValue is what a parameter is from a day on.
type ParameterValue struct {
	From  Day                `yaml:"from" need:"yes" ko:"시행일" en:"First day in force"`
	Value *float64           `yaml:"value" ko:"값" en:"The value"`
	Table map[string]float64 `yaml:"table" ko:"표" en:"The table"`
}

// Titled is the parameter's name.
func (p *Parameter) Titled() Text { return p.Title }

func (p *Parameter) check(c *checker) {
	seen := map[Day]bool{}
	for i, v := range p.Values {
		at := "values." + itoa(i)
		if seen[v.From] {
			c.fault(at+".from", "manifest.twice", Textf("같은 시행일이 두 번 나옵니다: %s", "%s stands twice", v.From), Text{})
		}
		seen[v.From] = true
		if (v.Value == nil) == (v.Table == nil) {
			c.fault(at, "parameter.value", T("value와 table 가운데 하나만 쓰십시오", "give either value or table"), Text{})
		}
		if v.Table != nil && p.By == "" {
			c.fault(at+".table", "parameter.by", T("표에는 by:가 필요합니다", "a table needs by:"), T("by: household_size처럼 찾는 기준을 쓰십시오", "say what it is looked up by, such as by: household_size"))
		}
		if p.Beyond == "last_step" {
			p.checkSteps(c, at, v.Table)
		}
	}
}

// checkSteps checks that a table that goes on by its last step has whole numbers as keys, at least two and none left out.
func (p *Parameter) checkSteps(c *checker, at string, table map[string]float64) {
	if table == nil {
		return
	}
	last, n := int64(0), 0
	for key := range table {
		k, ok := Int.Parse(key)
		if !ok || k == nil {
			c.fault(at+".table."+key, "parameter.step", Textf("last_step 표의 찾는 기준이 정수가 아닙니다: %q", "key %q of a last_step table is no whole number", key), Text{})
			return
		}
		last, n = max(last, k.(int64)), n+1
	}
	_, hasLast := table[itoa(int(last))]
	_, hasBefore := table[itoa(int(last)-1)]
	if n < 2 || !hasLast || !hasBefore {
		c.fault(at+".table", "parameter.step", T("last_step에는 연속한 행이 둘 이상 필요합니다", "last_step needs at least two rows in a row"), Text{})
	}
}

// Sorted returns the values in order of the day they come into force.
func (p *Parameter) Sorted() []ParameterValue {
	out := slices.Clone(p.Values)
	slices.SortFunc(out, func(a, b ParameterValue) int {
		if a.From < b.From {
			return -1
		}
		return 1
	})
	return out
}

// Keys returns the keys of a table in order: numbers by value, others by code point.
func (v ParameterValue) Keys() []string {
	return slices.SortedFunc(maps.Keys(v.Table), func(a, b string) int {
		x, xok := Int.Parse(a)
		y, yok := Int.Parse(b)
		if xok && yok && x != nil && y != nil {
			return int(x.(int64) - y.(int64))
		}
		if a < b {
			return -1
		}
		return 1
	})
}

func (p *Parameter) references(*Resource) []Reference { return nil }
