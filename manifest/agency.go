package manifest

// Agency is an organisation unit that owns things: a bureau, a division, a district, an affiliate. Agencies form a
// tree. They are reorganised after every election, so an agency has dates, and what was decided keeps the agency of its day.
type Agency struct {
	Title  Text   `yaml:"title" need:"yes" ko:"기관 이름" en:"Name of the agency"`
	Parent string `yaml:"parent" ko:"상위 기관" en:"The agency above it"`
	Level  string `yaml:"level" oneof:"city,bureau,division,team,district,community-centre,affiliate,ministry" ko:"조직 단계" en:"What kind of unit it is"`
	Code   string `yaml:"code" pattern:"^[0-9]{7}$" ko:"행정표준코드의 기관코드 7자리" en:"Institution code of the administrative standard codes, 7 digits"`
	From   Day    `yaml:"from" ko:"설치일" en:"First day it exists"`
	Until  Day    `yaml:"until" ko:"폐지일" en:"Last day it exists"`
	About  Text   `yaml:"about" ko:"하는 일" en:"What it does"`
}

// Titled is the agency's name.
func (a *Agency) Titled() Text { return a.Title }

func (a *Agency) check(c *checker) {
	if a.From != "" && a.Until != "" && a.Until < a.From {
		c.fault("until", "manifest.range", Textf("폐지일이 설치일보다 빠릅니다: 폐지일 %s, 설치일 %s", "until %s is before from %s", a.Until, a.From), Text{})
	}
	if a.Parent == c.resource.Name {
		c.fault("parent", "manifest.cycle", T("기관이 자기 자신을 상위 기관으로 둘 수 없습니다", "an agency can't be its own parent"), Text{})
	}
}

func (a *Agency) references(*Resource) []Reference {
	return someReference(Key{Kind: "Agency", Name: a.Parent}, "parent")
}
