package manifest

// Project is a digital project: a folder of manifests. Every document in the folder is at home in it.
type Project struct {
	Title     Text   `yaml:"title" need:"yes" ko:"사업 이름" en:"Name of the project"`
	Owner     string `yaml:"owner" ko:"맡은 기관 (시범 단계부터 필수)" en:"The agency that answers for it (needed from pilot on)"`
	Purpose   Text   `yaml:"purpose" ko:"사업 목적" en:"What it is for"`
	Budget    int64  `yaml:"budget" min:"0" ko:"한 해 예산(원)" en:"Budget, KRW a year"`
	Grade     string `yaml:"grade" oneof:"open,sensitive,classified" ko:"N2SF 보안등급: open(O), sensitive(S), classified(C)" en:"N2SF grade: open (O), sensitive (S), classified (C)"`
	Lifecycle string `yaml:"lifecycle" oneof:"idea,pilot,live,retiring,retired" ko:"단계" en:"Where it stands in its life"`
}

// Titled is the project's name.
func (p *Project) Titled() Text { return p.Title }

func (p *Project) check(c *checker) {
	if p.Owner == "" && p.Lifecycle != "" && p.Lifecycle != "idea" {
		c.fault("lifecycle", "project.owner", T("시범 단계부터는 맡은 기관을 정해야 합니다", "from pilot on, a project needs an owner"),
			T("owner:에 기관 이름을 쓰십시오", "write the agency's name in owner:"))
	}
}

func (p *Project) references(*Resource) []Reference {
	return someReference(Key{Kind: "Agency", Name: p.Owner}, "owner")
}
