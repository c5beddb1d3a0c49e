package city

// cityData is a dataset that doesn't depend on the people.
type cityData struct {
	name    string
	columns []string
	rows    func(p *Population, yield func([]any) bool)
}

var wholeCity = []cityData{}
