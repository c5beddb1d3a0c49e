package manifest

// Parameter is a dated value or table that rules use: the median income by household size, a benefit's cap. A rule takes
// the value in force on its as-of date.
type Parameter struct {
	Title  Text             `yaml:"title" need:"yes" ko:"기준값 이름" en:"Name of the parameter"`
	Unit   string           `yaml:"unit" ko:"단위" en:"Unit"`
	By     string           `yaml:"by" ko:"표의 열쇠 (예: household_size)" en:"What a table is looked up by, such as household_size"`
	Beyond string           `yaml:"beyond" oneof:"error,last_step,last" ko:"마지막 행을 넘을 때: error, last_step(마지막 간격을 다시 더함), last(마지막 값)" en:"Beyond the last row: error, last_step (adds the last step again) or last"`
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
