package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange/mask"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// Service is a service made ready for answers. It is immutable and safe for concurrent use.
type Service struct {
	manifest.Key
	Spec    *manifest.Service
	Facts   []Fact // in the order in which they are asked for
	Clauses []Clause
	Amount  *rule.Value // nil: the benefit is no amount
	Steps   []Step      // before the decision
	Text    string      // the manifest's document: which version of the rules this is
}

// Fact is a fact with what its values are.
type Fact struct {
	catalog.Field
	Spec      *manifest.Fact
	Agreement manifest.Key // by which it comes; zero where the person is asked
	Source    string       // the field of the agreement
	Items     []Item       // of a list, whose Type is [rule.List]: what is known of each of its records
}

// Item is what is known of each record of a list.
type Item struct {
	catalog.Field
	Spec   *manifest.Item
	Source string
}

// Question is what the person is asked about each record.
func (i *Item) Question() lang.Text {
	if !i.Spec.Ask.Empty() {
		return i.Spec.Ask
	}
	return i.Label()
}

// IsList reports whether a fact is a list of records.
func (f *Fact) IsList() bool { return f.Type == rule.List }

// Asked reports whether the person is asked.
func (f *Fact) Asked() bool { return f.Agreement == manifest.Key{} }

// Question is what the person is asked, whether or not the fact can come by an agreement.
func (f *Fact) Question() lang.Text {
	if !f.Spec.Ask.Empty() {
		return f.Spec.Ask
	}
	return f.Label()
}

// Clause is a condition and its reason.
type Clause struct {
	Spec *manifest.Clause
	rule *rule.Rule
	ko   []piece
	en   []piece
}

// Step is a step before the decision.
type Step struct {
	Spec *manifest.ProcessStep
	when *rule.Rule // nil: always
}

// Applies reports whether a step is needed for somebody of whom known is known: where that can't be told it is.
func (s *Step) Applies(known map[string]any, asOf manifest.Day) bool {
	if s.when == nil {
		return true
	}
	answer, _, err := s.when.Judge(known, asOf)
	return err != nil || answer != rule.No
}

// Fact returns the fact of a name, or nil.
func (s *Service) Fact(name string) *Fact {
	for i := range s.Facts {
		if s.Facts[i].Name == name {
			return &s.Facts[i]
		}
	}
	return nil
}

// Path is project/name.
func (s *Service) Path() string { return s.Project + "/" + s.Name }

// Compile makes a service of a snapshot ready, or says all that stands against it, where it stands in the manifest.
//
// Codes: service.fact, service.field, service.mask, service.reason, service.amount, and those of rules at the clause they are in.
func Compile(s *catalog.Snapshot, r *manifest.Resource) (*Service, []manifest.Finding) {
	spec, ok := r.Spec.(*manifest.Service)
	if !ok {
		return nil, nil
	}
	c := &compiler{snapshot: s, resource: r}
	out := &Service{Key: r.Key, Spec: spec, Text: r.Text}
	var fields []rule.Field
	for i := range spec.Facts {
		f, field := c.fact(&spec.Facts[i])
		if field.Type == "" {
			continue // said already
		}
		out.Facts = append(out.Facts, f)
		fields = append(fields, field)
	}
	if len(c.findings) > 0 {
		return nil, c.findings // what names these facts would be wrong as well
	}
	options := rule.Options{Params: parameters(s)}
	for _, name := range slices.Sorted(maps.Keys(spec.Params)) {
		options.Own = append(options.Own, rule.NewNumber(name, spec.Params[name]))
	}
	options.Calendar = c.calendar()
	env, err := rule.NewEnv(fields, options)
	if err != nil {
		c.fault("service.fact", "facts", lang.F("사실을 읽을 수 없습니다: %s", "the facts can't be read: %s", err.Error()), lang.Text{})
		return nil, c.findings
	}
	for i := range spec.Eligible {
		one, at := &spec.Eligible[i], fmt.Sprintf("eligible.%d", i)
		clause := Clause{Spec: one}
		if clause.rule, err = env.Compile(one.When); err != nil {
			c.wrong(at+".when", err)
		}
		clause.ko, clause.en = c.pieces(env, one.Why.Ko, at+".why"), c.pieces(env, one.Why.En, at+".why")
		out.Clauses = append(out.Clauses, clause)
	}
	if b := spec.Benefit; b != nil && strings.TrimSpace(b.Amount) != "" {
		out.Amount, err = env.CompileValue(b.Amount)
		switch {
		case err != nil:
			c.wrong(amountPath, err)
		case out.Amount.Type() != manifest.Int && out.Amount.Type() != manifest.Double:
			c.fault("service.amount", amountPath, lang.F("금액이 수가 아닙니다 (유형: %s)", "the amount is a %s, not a number", string(out.Amount.Type())), lang.Text{})
		case out.Amount.Type() == manifest.Double && strings.HasPrefix(b.Unit, "KRW"):
			c.fault("service.amount", amountPath, lang.T("금액은 원 단위의 정수여야 합니다", "money is decided in whole won"), lang.T("won(…)으로 반올림하십시오", "round it by won(…)"))
		}
	}
	if p := spec.Process; p != nil {
		for i := range p.Steps {
			step := Step{Spec: &p.Steps[i]}
			if step.Spec.When != "" {
				if step.when, err = env.Compile(step.Spec.When); err != nil {
					c.wrong(fmt.Sprintf("process.steps.%d.when", i), err)
				}
			}
			out.Steps = append(out.Steps, step)
		}
	}
	if p := spec.Process; p != nil && p.Calendar == "" && len(s.List("Calendar")) != 1 {
		c.fault("service.calendar", duePath, lang.F("처리기간을 계산할 업무일력을 정할 수 없습니다 (업무일력 %d개)", "nothing says by which calendar the term counts: there are %d", len(s.List("Calendar"))), lang.T("process.calendar에 업무일력을 쓰십시오. 없으면 Calendar를 먼저 만드십시오", "name one in process.calendar; where there is none, make a Calendar first"))
	}
	if k := spec.Counts; k != nil {
		if f := out.Fact(k.Fact); f != nil && f.Type != manifest.Int {
			c.fault("service.amount", countsPath, lang.F("소득을 더할 사실이 정수가 아닙니다: %s", "%s isn't an int, so nothing is added to it", k.Fact), lang.Text{})
		}
	}
	if len(c.findings) > 0 {
		return nil, c.findings
	}
	return out, nil
}

// calendar is that of the service: the one that it names, or the city's only one; nil where there is none.
func (c *compiler) calendar() *rule.Calendar {
	all := c.snapshot.List("Calendar")
	if p := c.resource.Spec.(*manifest.Service).Process; p != nil && p.Calendar != "" {
		all = []*manifest.Resource{c.snapshot.Get(manifest.Key{Kind: "Calendar", Name: p.Calendar})}
	}
	if len(all) != 1 || all[0] == nil {
		return nil
	}
	spec, ok := all[0].Spec.(*manifest.Calendar)
	if !ok {
		return nil
	}
	return rule.NewCalendar(all[0].Name, spec)
}

// parameters are the city's.
func parameters(s *catalog.Snapshot) (out []*rule.Param) {
	for _, r := range s.List("Parameter") {
		if spec, ok := r.Spec.(*manifest.Parameter); ok {
			out = append(out, rule.NewParam(r.Name, spec))
		}
	}
	return out
}

// Where things stand in a manifest.
const (
	amountPath = "benefit.amount"
	duePath    = "process.due"
	countsPath = "counts.fact"
)

// compiler gathers what stands against a service.
type compiler struct {
	snapshot *catalog.Snapshot
	resource *manifest.Resource
	findings []manifest.Finding
}

func (c *compiler) fault(code, at string, message, hint lang.Text) {
	c.findings = append(c.findings, c.resource.Finding(manifest.Error, code, at, message, hint))
}

// wrong notes each fault of an expression at its field: places within it are said as line:column.
func (c *compiler) wrong(at string, err error) {
	p := problem.As(err)
	if p == nil {
		c.fault("rule.syntax", at, lang.T("식을 읽을 수 없습니다", "the expression can't be read"), lang.Text{})
		return
	}
	for _, d := range p.At {
		hint := d.Hint
		if hint.Empty() {
			hint = lang.F("식 안의 위치: %s", "place in the expression: %s", d.Where)
		}
		c.fault(d.Code, at, d.Message, hint)
	}
}

// fact is a fact with its type, and the same as rules know it. There its type is empty where it can't be said.
func (c *compiler) fact(spec *manifest.Fact) (f Fact, field rule.Field) {
	f.Spec = spec
	at := "facts." + spec.Name
	if spec.From != "" {
		f.Agreement, f.Source = spec.Agreement(c.resource.Project), spec.Source()
	}
	if len(spec.Each) == 0 {
		own := manifest.Field{Name: spec.Name, Term: spec.Term, Type: spec.Type, Required: true}
		f.Field, field = c.field(&f, own, f.Source, at)
		return f, field
	}
	field = rule.Field{Name: spec.Name, Type: rule.List}
	f.Field = catalog.Field{Field: manifest.Field{Name: spec.Name, Type: rule.List, Title: spec.Ask, Required: true}}
	if !spec.One.Empty() {
		f.Title = spec.One
	}
	for i := range spec.Each {
		one := &spec.Each[i]
		item := Item{Spec: one, Source: one.Source()}
		own := manifest.Field{Name: one.Name, Term: one.Term, Type: one.Type, Required: true}
		var known rule.Field
		if item.Field, known = c.field(&f, own, item.Source, at+".each."+one.Name); known.Type == "" {
			field.Type = "" // said already
		}
		f.Items, field.Items = append(f.Items, item), append(field.Items, known)
	}
	return f, field
}

// field is what a fact, or an item of a list, is: as it is asked for, or a field of the agreement by which f comes.
func (c *compiler) field(f *Fact, own manifest.Field, source, at string) (catalog.Field, rule.Field) {
	none := rule.Field{}
	if f.Asked() {
		field, findings := c.snapshot.Asked(own, c.resource, at)
		c.findings = append(c.findings, findings...)
		return field, rule.Field{Name: own.Name, Type: field.Type}
	}
	r := c.snapshot.Get(f.Agreement)
	if r == nil {
		return catalog.Field{}, none // a reference that leads nowhere is said already
	}
	agreement, ok := r.Spec.(*manifest.Agreement)
	if !ok {
		return catalog.Field{}, none
	}
	if !slices.Contains(agreement.Fields, source) {
		hint := lang.F("협약의 항목: %s", "its fields: %s", strings.Join(agreement.Fields, ", "))
		if near := manifest.Nearest(source, agreement.Fields); near != "" {
			hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
		}
		c.fault("service.field", at, lang.F("협약 %[2]s로 읽을 수 없는 항목입니다: %[1]s", "the agreement %[2]s has no field %[1]s", source, f.Spec.From), hint)
		return catalog.Field{}, none
	}
	to := agreement.Provider(f.Agreement.Project)
	d := c.snapshot.Dataset(to.Project, to.Name)
	if d == nil || d.Field(source) == nil {
		return catalog.Field{}, none // the agreement's own check says so
	}
	field := *d.Field(source)
	if name := agreement.Masks[source]; name != "" {
		if _, known := mask.Named(name); known && field.Type != manifest.String {
			c.fault("service.mask", at, lang.F("협약에서 가려서 읽는 항목이라 규칙에 쓸 수 없습니다: %s", "the agreement masks %s, so rules can't use it", source), lang.T("협약에서 가림 없이 읽거나, 다른 항목을 쓰십시오", "have the agreement read it unmasked, or use another field"))
			return catalog.Field{}, none
		}
	}
	field.Name = own.Name
	return field, rule.Field{Name: own.Name, Type: field.Type, Nullable: !field.Required}
}
