package manifest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Service is what the city offers to people: who may have it, what it is, and how it is asked for.
type Service struct {
	Title      Text               `yaml:"title" need:"yes" ko:"서비스 이름" en:"Name of the service"`
	About      Text               `yaml:"about" ko:"누구에게 무엇을 주는지 한두 문장으로" en:"Who gets what, in a sentence or two"`
	LifeEvents []string           `yaml:"life_events" ko:"어떤 생애사건에 필요한 서비스인지" en:"The life events it is for"`
	Basis      string             `yaml:"basis" ko:"법적 근거 (법령과 조문)" en:"Legal basis: law and article"`
	Facts      FactList           `yaml:"facts" need:"yes" ko:"자격을 확인하는 데 필요한 사실, 물어보는 순서대로" en:"The facts that eligibility depends on, in the order in which they are asked for"`
	Params     map[string]float64 `yaml:"params" ko:"서비스의 기준값: 식에서 params.이름으로 씁니다" en:"The service's own parameters, params.NAME in expressions"`
	Eligible   []Clause           `yaml:"eligible" need:"yes" ko:"자격 요건. 모두 맞아야 합니다" en:"The clauses of eligibility; all must hold"`
	Benefit    *Benefit           `yaml:"benefit" ko:"받는 것" en:"What one gets"`
	Documents  []Document         `yaml:"documents" ko:"필요한 서류" en:"Documents"`
	Excludes   []string           `yaml:"excludes" ko:"함께 받을 수 없는 서비스. 한쪽에만 써도 됩니다" en:"Services that one can't have together with it; said in one of the two it holds both ways"`
	Counts     *Counts            `yaml:"counts" ko:"받으면 이 서비스의 소득으로 계산하는 다른 급여" en:"Other benefits that count as income here"`
	Once       string             `yaml:"once" oneof:"person,household,child,year" ko:"한 번만 받을 수 있는 단위: person(평생), household(가구), child(자녀), year(한 해)" en:"Given once: to a person, a household, for a child, or a year"`
	OnceBy     string             `yaml:"once_by" ko:"가구나 자녀를 가리키는 사실 (once가 household나 child일 때)" en:"The fact that says which household or child, where once is one of these"`
	Window     *Window            `yaml:"window" ko:"신청을 받는 기간" en:"When applications are taken"`
	Windows    []Window           `yaml:"windows" ko:"신청을 받는 기간이 여럿일 때 (window 대신)" en:"Where there are several times at which applications are taken, instead of window"`
	Process    *Process           `yaml:"process" ko:"처리 절차" en:"How it is dealt with"`
}

// FactList is the facts of a service in the order in which they were written.
type FactList []Fact

// Fact is something that eligibility depends on. It comes by an agreement, or is asked for.
type Fact struct {
	Name  string `yaml:"-"`
	From  string `yaml:"from" ko:"이 사실을 가져오는 협약" en:"The agreement by which it comes"`
	Field string `yaml:"field" ko:"협약의 항목 (사실의 이름과 다를 때)" en:"The field of the agreement, where it isn't called like the fact"`
	Ask   Text   `yaml:"ask" ko:"신청하는 사람에게 묻는 말" en:"The question, where the person is asked"`
	Help  Text   `yaml:"help" ko:"질문에 덧붙이는 설명" en:"What is said beside the question"`
	Term  string `yaml:"term" ko:"표준용어" en:"The term it cites"`
	Type  Type   `yaml:"type" ko:"유형 (용어가 없을 때)" en:"Its type, where it cites no term"`

	Each ItemList `yaml:"each" ko:"자녀나 가구원처럼 여럿인 것의 목록일 때: 하나하나에 대해 아는 것" en:"Of a list, such as of children or members of the household: what is known of each"`
	One  Text     `yaml:"one" ko:"목록에 있는 하나를 부르는 말 (자녀)" en:"Of a list: what one of them is called (child)"`
}

// ItemList is what is known of each record of a list, in the order in which it was written.
type ItemList []Item

// Item is something that is known of each record of a list.
type Item struct {
	Name  string `yaml:"-"`
	Field string `yaml:"field" ko:"협약의 항목 (이름과 다를 때)" en:"The field of the agreement, where it isn't called alike"`
	Ask   Text   `yaml:"ask" ko:"묻는 말" en:"The question"`
	Help  Text   `yaml:"help" ko:"질문에 덧붙이는 설명" en:"What is said beside the question"`
	Term  string `yaml:"term" ko:"표준용어 (협약으로 가져오지 않을 때)" en:"The term it cites, where it comes by no agreement"`
	Type  Type   `yaml:"type" ko:"유형 (용어가 없을 때)" en:"Its type, where it cites no term"`
}

// Source is the field of the agreement from which it comes.
func (i *Item) Source() string {
	if i.Field != "" {
		return i.Field
	}
	return i.Name
}

// Clause is one condition of eligibility and the reason in which it is told.
type Clause struct {
	When string `yaml:"when" need:"yes" ko:"조건 (CEL)" en:"The condition, in CEL"`
	Why  Text   `yaml:"why" need:"yes" ko:"쉬운 말로 쓴 조건. {식|won}으로 값을 넣습니다" en:"The condition in plain words; {expression|won} puts a value in"`
	Law  string `yaml:"law" ko:"이 요건의 법적 근거" en:"Law and article of this clause"`
}

// Counts says which other benefits count as income: who gets one has so much more of it a month.
type Counts struct {
	Fact string   `yaml:"fact" need:"yes" ko:"더하는 사실 (한 달 소득, 원)" en:"The fact that they are added to: income a month, in won"`
	Of   []string `yaml:"of" need:"yes" ko:"소득으로 계산하는 서비스" en:"The services that count"`
}

// Benefit is what one gets.
type Benefit struct {
	Amount string `yaml:"amount" ko:"금액 (CEL)" en:"The amount, in CEL"`
	Unit   string `yaml:"unit" oneof:"KRW,KRW/month,KRW/year,percent" ko:"단위" en:"Its unit"`
	Months int    `yaml:"months" min:"1" max:"1200" ko:"몇 달 동안" en:"For how many months"`
	About  Text   `yaml:"about" ko:"금액이 아닌 것을 받을 때의 설명" en:"What it is, where it isn't money"`
}

// Document is a paper that is asked for, or that data replaces.
type Document struct {
	Name    Text   `yaml:"name" need:"yes" ko:"서류 이름" en:"Name of the document"`
	Upload  bool   `yaml:"upload" ko:"올려야 하는 서류" en:"Whether it is uploaded"`
	Instead string `yaml:"instead" ko:"이 서류를 대신하는 협약" en:"The agreement whose data replaces it"`
}

// Window is when applications are taken: whole days in Seoul.
type Window struct {
	From   Day    `yaml:"from" need:"yes" ko:"첫날" en:"The first day"`
	To     Day    `yaml:"to" need:"yes" ko:"마지막 날" en:"The last day"`
	Quota  int    `yaml:"quota" min:"1" max:"10000000" ko:"뽑는 수" en:"For how many it is"`
	Choose string `yaml:"choose" oneof:"first-come,draw" ko:"더 많이 신청하면: first-come(먼저 신청한 순서), draw(추첨)" en:"How they are chosen where more apply: first-come, draw"`
	Seed   Text   `yaml:"seed" ko:"추첨에 쓸, 마감한 뒤에야 누구나 알게 되는 값이 무엇인지. 예: 12월 5일 로또 당첨 번호" en:"Of a draw: which value, known to all only after the last day, decides it, such as the lottery numbers of a day"`
}

func (w *Window) check(c *checker, at string) {
	if w.To < w.From {
		c.fault(at+".to", "service.window", T("마지막 날이 첫날보다 앞섭니다", "the last day is before the first"), Text{})
	}
	if (w.Quota > 0) != (w.Choose != "") {
		c.fault(at, "service.window", T("quota와 choose는 함께 씁니다", "quota and choose go together"), Text{})
	} else if (w.Choose == Drawn) == w.Seed.Empty() {
		c.fault(at, "service.window", T("choose: draw이면 seed에 추첨에 쓸 값이 무엇인지 쓰고, 아니면 쓰지 마십시오", "with choose: draw, say in seed which value decides it; otherwise leave it out"), T("마감한 뒤에야 정해지고 누구나 확인할 수 있는 값이어야 합니다", "it has to become known after the last day, to everybody"))
	}
}

// AllWindows are the times at which applications are taken, in order; none where they always are.
func (s *Service) AllWindows() []Window {
	out := slices.Clone(s.Windows)
	if s.Window != nil {
		out = append(out, *s.Window)
	}
	slices.SortFunc(out, func(a, b Window) int { return strings.Compare(string(a.From), string(b.From)) })
	return out
}

// WindowOn is the window of a day, or nil.
func (s *Service) WindowOn(day Day) *Window {
	for _, w := range s.AllWindows() {
		if w.From <= day && day <= w.To {
			return &w
		}
	}
	return nil
}

// NearWindow is the window of a day, or else the next one, or else the last one; nil where there is none.
func (s *Service) NearWindow(day Day) (near *Window) {
	for _, w := range s.AllWindows() {
		near = &w
		if day <= w.To {
			break
		}
	}
	return near
}

// How those are chosen who get a service of which there isn't enough.
const (
	FirstCome = "first-come"
	Drawn     = "draw"
)

// Process is how an application is dealt with.
type Process struct {
	Due      string        `yaml:"due" need:"yes" ko:"처리기간: at once, 4 hours, 14 working days, 2 weeks, 1 month" en:"The term: at once, 4 hours, 14 working days, 2 weeks, 1 month"`
	Template string        `yaml:"template" oneof:"register,review-and-pay,inspect,two-step-approval" ko:"절차: register(수리, 쓰지 않으면 이것), review-and-pay(심사 뒤 지급), inspect(현장 확인 뒤 결정), two-step-approval(결정한 뒤 다른 사람이 결재)" en:"How: register (which it is where nothing is said), review-and-pay, inspect (a visit before the decision), two-step-approval (somebody else confirms)"`
	Assign   string        `yaml:"assign" oneof:"least" ko:"들어온 신청의 담당자를 정하는 방법: least(배정을 받는 담당자 가운데 맡은 것이 가장 적은 사람). 쓰지 않으면 담당자가 직접 맡습니다" en:"Who gets what comes in: least (of those who are given cases whoever has the fewest); taken by hand where nothing is said"`
	Steps    []ProcessStep `yaml:"steps" ko:"결정하기 전의 단계. 담당 기관의 단계는 차례로, 다른 기관의 의견(협의)은 모두 동시에 시작합니다" en:"What comes before the decision: the office's own one after the other, the opinions of other offices all at once"`
	Calendar string        `yaml:"calendar" ko:"처리기간을 계산하는 업무일력 (하나뿐이면 쓰지 않아도 됩니다)" en:"The calendar by which the term counts; needed only where there are several"`
}

// AssignLeast gives a case to whoever has the fewest.
const AssignLeast = "least"

// ProcessStep is a step before the decision: of the office itself, or the opinion of another one (협의).
type ProcessStep struct {
	Name   string `yaml:"name" need:"yes" ko:"단계의 이름 (영문)" en:"Name of the step"`
	Title  Text   `yaml:"title" need:"yes" ko:"단계를 부르는 말 (현장 확인)" en:"What it is called (visit)"`
	Agency string `yaml:"agency" ko:"의견을 낼 기관 (담당 기관의 단계이면 쓰지 않습니다)" en:"The office whose opinion it is; left out where the office does it itself"`
	When   string `yaml:"when" ko:"이 단계가 필요한 조건 (CEL). 쓰지 않으면 늘 필요합니다" en:"When it is needed, in CEL; always, where nothing is said"`
	Due    string `yaml:"due" ko:"이 단계의 기한: 1 working day, 5 working days" en:"Its own term: 1 working day, 5 working days"`
}

// The templates of processes.
const (
	Register        = "register"
	ReviewAndPay    = "review-and-pay"
	Inspect         = "inspect"
	TwoStepApproval = "two-step-approval"
)

// dueForm is what terms look like (민원처리법 제19조).
var dueForm = regexp.MustCompile(`^(at once|[1-9][0-9]{0,2} (hours?|working days?|weeks?|months?))$`)

// Titled is the service's name.
func (s *Service) Titled() Text { return s.Title }

// Agreement is the agreement by which a fact comes, seen from a project.
func (f *Fact) Agreement(home string) Key { return Ref("Agreement", home, f.From) }

// Source is the field of the agreement from which a fact comes.
func (f *Fact) Source() string {
	if f.Field != "" {
		return f.Field
	}
	return f.Name
}

func (s *Service) check(c *checker) {
	for _, f := range s.Facts {
		at := "facts." + f.Name
		if len(f.Each) > 0 {
			f.checkList(c, at)
			continue
		}
		if !f.One.Empty() {
			c.fault(at+".one", "service.list", T("one은 each와 함께 씁니다", "one goes with each"), Text{})
		}
		switch {
		case f.From == "" && f.Ask.Empty():
			c.fault(at, "service.fact", Textf("어디서 오는 사실인지 알 수 없습니다: %s", "%s comes from nowhere", f.Name), T("from:에 협약을 쓰거나 ask:에 물어볼 말을 쓰십시오", "name an agreement in from:, or a question in ask:"))
		case f.From == "" && f.Field != "":
			c.fault(at+".field", "service.fact", T("field는 from과 함께 씁니다", "field goes with from"), Text{})
		case f.From == "" && f.Term == "" && f.Type == "":
			c.fault(at, "service.fact", Textf("유형을 알 수 없습니다: %s", "nothing says the type of %s", f.Name), T("term:에 표준용어를 쓰십시오. 맞는 용어가 없으면 type:을 쓰십시오", "cite a term in term:, or write type:"))
		case f.From != "" && (f.Term != "" || f.Type != ""):
			c.fault(at, "service.fact", T("협약으로 가져오는 사실의 유형은 데이터셋에서 정합니다", "the dataset says what a fact that comes by an agreement is"), T("term과 type을 지우십시오", "leave term and type out"))
		}
		if f.Type != "" && (!f.Type.Valid() || f.Type == Geometry) {
			c.fault(at+".type", "manifest.value", Textf("사실에 쓸 수 없는 유형입니다: %q", "facts can't be of type %q", string(f.Type)), Text{})
		}
	}
	for name := range s.Params {
		if !ValidField(name) {
			c.fault("params."+name, "manifest.name", Textf("기준값 이름으로 쓸 수 없습니다: %q", "%q can't name a parameter", name), T("영문 소문자·숫자·밑줄로 쓰십시오", "small letters, digits and underscores"))
		}
	}
	for i, d := range s.Documents {
		if d.Upload == (d.Instead != "") {
			c.fault("documents."+strconv.Itoa(i), "service.document", T("서류마다 upload: true와 instead 가운데 하나를 쓰십시오", "write either upload: true or instead"), Text{})
		}
	}
	if per := s.Once == "household" || s.Once == "child"; per != (s.OnceBy != "") {
		c.fault("once_by", "service.once", T("once가 household나 child이면 once_by에 그것을 가리키는 사실을 쓰고, 아니면 쓰지 마십시오", "once_by names the fact that says which household or child; otherwise leave it out"), Text{})
	} else if s.OnceBy != "" && !slices.ContainsFunc(s.Facts, func(f Fact) bool { return f.Name == s.OnceBy }) {
		c.fault("once_by", "service.once", Textf("사실에 없는 이름입니다: %s", "there is no fact %s", s.OnceBy), Text{})
	}
	if s.Window != nil && len(s.Windows) > 0 {
		c.fault("windows", "service.window", T("window와 windows 가운데 하나만 쓰십시오", "write either window or windows"), Text{})
	}
	if s.Window != nil {
		s.Window.check(c, "window")
	}
	for i := range s.Windows {
		s.Windows[i].check(c, "windows."+strconv.Itoa(i))
		for j := range i {
			if a, b := s.Windows[i], s.Windows[j]; a.From <= b.To && b.From <= a.To {
				c.fault("windows."+strconv.Itoa(i), "service.window", Textf("신청 기간이 겹칩니다: %[1]s–%[2]s", "it shares days with another: %[1]s to %[2]s", string(b.From), string(b.To)), Text{})
			}
		}
	}
	if s.Process != nil && s.Process.Due != "" && !dueForm.MatchString(s.Process.Due) {
		c.fault("process.due", "service.due", Textf("처리기간으로 읽을 수 없습니다: %q", "%q is no term", s.Process.Due), T("at once, 4 hours, 14 working days, 2 weeks, 1 month처럼 쓰십시오", "write it as at once, 4 hours, 14 working days, 2 weeks or 1 month"))
	}
	if k := s.Counts; k != nil && k.Fact != "" && !slices.ContainsFunc(s.Facts, func(f Fact) bool { return f.Name == k.Fact }) {
		c.fault("counts.fact", "service.once", Textf("사실에 없는 이름입니다: %s", "there is no fact %s", k.Fact), Text{})
	}
	s.checkSteps(c)
	if b := s.Benefit; b != nil && strings.TrimSpace(b.Amount) != "" && b.Unit == "" {
		c.fault("benefit.unit", "manifest.empty", T("금액의 단위가 필요합니다", "the amount needs a unit"), T("KRW, KRW/month, KRW/year, percent 가운데 하나를 쓰십시오", "one of KRW, KRW/month, KRW/year, percent"))
	}
}

func (s *Service) checkSteps(c *checker) {
	if s.Process == nil {
		return
	}
	seen := map[string]bool{}
	for i, step := range s.Process.Steps {
		at := "process.steps." + strconv.Itoa(i)
		switch {
		case step.Name == "":
		case !nameForm.MatchString(step.Name):
			c.fault(at+".name", "manifest.name", Textf("단계의 이름으로 쓸 수 없습니다: %q", "%q can't name a step", step.Name), T("영문 소문자·숫자·붙임표로 쓰십시오", "small letters, digits and hyphens"))
		case seen[step.Name]:
			c.fault(at+".name", "manifest.twice", Textf("같은 이름의 단계가 둘입니다: %s", "two steps are called %s", step.Name), Text{})
		}
		seen[step.Name] = true
		if step.Due != "" && !dueForm.MatchString(step.Due) {
			c.fault(at+".due", "service.due", Textf("처리기간으로 읽을 수 없습니다: %q", "%q is no term", step.Due), T("at once, 4 hours, 14 working days, 2 weeks, 1 month처럼 쓰십시오", "write it as at once, 4 hours, 14 working days, 2 weeks or 1 month"))
		}
	}
}

// checkList checks a fact that is a list.
func (f *Fact) checkList(c *checker, at string) {
	if f.From == "" && f.Ask.Empty() {
		c.fault(at, "service.fact", Textf("어디서 오는 사실인지 알 수 없습니다: %s", "%s comes from nowhere", f.Name), T("from:에 협약을 쓰거나 ask:에 물어볼 말을 쓰십시오", "name an agreement in from:, or a question in ask:"))
	}
	if f.Field != "" || f.Term != "" || f.Type != "" {
		c.fault(at, "service.list", T("목록의 field, term, type은 each의 항목에 씁니다", "field, term and type of a list stand at what is known of each"), Text{})
	}
	if f.One.Empty() {
		c.fault(at, "service.list", Textf("목록에 있는 하나를 무엇이라고 부르는지 필요합니다: %s", "nothing says what one of %s is called", f.Name), T("one: {ko: 자녀, en: child}처럼 쓰십시오", "write it as one: {ko: 자녀, en: child}"))
	}
	for _, i := range f.Each {
		path := at + ".each." + i.Name
		switch {
		case f.From == "" && i.Field != "":
			c.fault(path+".field", "service.fact", T("field는 from과 함께 씁니다", "field goes with from"), Text{})
		case f.From == "" && i.Term == "" && i.Type == "":
			c.fault(path, "service.fact", Textf("유형을 알 수 없습니다: %s", "nothing says the type of %s", i.Name), T("term:에 표준용어를 쓰십시오. 맞는 용어가 없으면 type:을 쓰십시오", "cite a term in term:, or write type:"))
		case f.From != "" && (i.Term != "" || i.Type != ""):
			c.fault(path, "service.fact", T("협약으로 가져오는 사실의 유형은 데이터셋에서 정합니다", "the dataset says what a fact that comes by an agreement is"), T("term과 type을 지우십시오", "leave term and type out"))
		}
		if i.Type != "" && (!i.Type.Valid() || i.Type == Geometry) {
			c.fault(path+".type", "manifest.value", Textf("사실에 쓸 수 없는 유형입니다: %q", "facts can't be of type %q", string(i.Type)), Text{})
		}
	}
}

func (s *Service) references(r *Resource) (out []Reference) {
	for _, f := range s.Facts {
		if f.From != "" {
			out = append(out, Reference{To: f.Agreement(r.Project), Path: "facts." + f.Name + ".from"})
		}
		out = append(out, someReference(Key{Kind: "Term", Name: f.Term}, "facts."+f.Name+".term")...)
		for _, i := range f.Each {
			out = append(out, someReference(Key{Kind: "Term", Name: i.Term}, "facts."+f.Name+".each."+i.Name+".term")...)
		}
	}
	for i, name := range s.LifeEvents {
		out = append(out, someReference(Key{Kind: "LifeEvent", Name: name}, "life_events."+strconv.Itoa(i))...)
	}
	if s.Process != nil {
		out = append(out, someReference(Key{Kind: "Calendar", Name: s.Process.Calendar}, "process.calendar")...)
		for i, step := range s.Process.Steps {
			out = append(out, someReference(Key{Kind: "Agency", Name: step.Agency}, "process.steps."+strconv.Itoa(i)+".agency")...)
		}
	}
	for i, name := range s.Excludes {
		out = append(out, Reference{To: Ref("Service", r.Project, name), Path: "excludes." + strconv.Itoa(i)})
	}
	if s.Counts != nil {
		for i, name := range s.Counts.Of {
			out = append(out, Reference{To: Ref("Service", r.Project, name), Path: "counts.of." + strconv.Itoa(i)})
		}
	}
	for i, d := range s.Documents {
		if d.Instead != "" {
			out = append(out, Reference{To: Ref("Agreement", r.Project, d.Instead), Path: "documents." + strconv.Itoa(i) + ".instead"})
		}
	}
	return out
}
