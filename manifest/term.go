package manifest

// Term is a word of the city's standard: what a field of that meaning is called, looks like and how it is protected,
// wherever it appears (공통표준용어; 공공데이터법 제23조).
type Term struct {
	Title        Text         `yaml:"title" need:"yes" ko:"용어 이름" en:"Name of the term"`
	Type         Type         `yaml:"type" need:"yes" oneof:"string,int,double,bool,date,datetime,geometry" ko:"값의 유형" en:"Type of its values"`
	Definition   Text         `yaml:"definition" ko:"뜻" en:"What it means"`
	Length       int          `yaml:"length" min:"1" max:"100_000" ko:"최대 길이(글자 수)" en:"Longest value, in characters"`
	Pattern      string       `yaml:"pattern" ko:"값의 형식 (RE2 정규식, 값 전체)" en:"Form of its values: an RE2 expression for the whole value"`
	Min          *float64     `yaml:"min" ko:"최솟값" en:"Smallest value"`
	Max          *float64     `yaml:"max" ko:"최댓값" en:"Largest value"`
	Unit         string       `yaml:"unit" ko:"단위 (KRW, m², 명 …)" en:"Unit (KRW, m², people …)"`
	CodeSystem   string       `yaml:"code_system" ko:"코드 체계의 이름" en:"Name of the code system its values come from"`
	Codes        OrderedTexts `yaml:"codes" ko:"코드와 그 이름" en:"The codes and their names"`
	Class        Class        `yaml:"class" oneof:"public,internal,personal,sensitive,unique" ko:"보호 등급" en:"How it is protected"`
	Identifies   string       `yaml:"identifies" oneof:"person,household" ko:"값이 가리키는 것. 사업마다 자기만의 식별자를 씁니다" en:"What its values identify: each project has identifiers of its own for it"`
	Synonyms     []string     `yaml:"synonyms" ko:"같은 뜻으로 쓰는 말" en:"Other words for the same thing"`
	Abbreviation string       `yaml:"abbreviation" ko:"공통표준용어의 영문 약어(물리명)" en:"Physical name in the government's common standard"`
}

// Titled is the term's name.
func (t *Term) Titled() Text { return t.Title }

func (t *Term) check(c *checker) {
	if t.Identifies != "" && t.Type != String && t.Type != "" {
		c.fault("identifies", "manifest.constraint", T("identifies는 string에만 씁니다", "identifies is for strings"), Text{})
	}
	c.constraints("", t.Type, t.Length, t.Pattern, t.Min, t.Max, t.Codes)
}

func (t *Term) references(*Resource) []Reference { return nil }
