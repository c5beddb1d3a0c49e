package casework

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/term"
)

// How many services one application may be for, and how many applications a citizen may hand in within 24 hours.
const (
	maxServices = 30
	maxDaily    = 100
)

// Question is a fact that the person is asked for, once for all services that it is of.
type Question struct {
	Name     string        // as answers have it
	Fact     *service.Fact // of the first service that it is of
	Services []string      // project/name
}

// Form is an application under way: what is known, what each service says of it, and what is still to be asked.
type Form struct {
	Services []*service.Service
	Verdicts []*service.Verdict
	Asks     []Question // what must be answered before it can be handed in, one that settles most first
	Facts    [][]Fact   // of each service
	Lacking  []service.Origin
	Papers   []Needed // documents that are to be uploaded
}

// Submission is what is handed in.
type Submission struct {
	Services []string        // project/name
	Answers  registry.Values // by the names of questions
	Once     string          // the same again is the same application: an Idempotency-Key
	Draft    string          // instead of the three: a draft, whose papers go along
}

// Application is what was handed in.
type Application struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Cases []*Case   `json:"cases"`
}

// Form gathers what is known of a citizen for some services by their agreements, takes their answers, and says what is still to be asked. Each read leaves a receipt. Nothing is stored; what was read is remembered for
// [gatheredLife], so that the pages of one form don't read it over and over.
//
// Codes: auth.needed, auth.refused, application.services, service.unknown, service.facts.
func (s *Store) Form(ctx context.Context, who *identity.Principal, services []string, answers registry.Values) (*Form, error) {
	return s.form(ctx, who, services, answers, (*remembering)(s))
}

// Look is [Store.Form] without an application in mind: also for services that take none now, as many as there are.
func (s *Store) Look(ctx context.Context, who *identity.Principal, services []string) (*Form, error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	list, err := s.named(services)
	if err != nil {
		return nil, err
	}
	return s.fill(ctx, who, list, nil, (*remembering)(s))
}

// named are services by their paths, each once.
func (s *Store) named(paths []string) (out []*service.Service, err error) {
	for _, path := range paths {
		project, name, _ := strings.Cut(path, "/")
		one, err := s.Services.Find(project, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, one) {
			out = append(out, one)
		}
	}
	return out, nil
}

func (s *Store) form(ctx context.Context, who *identity.Principal, services []string, answers registry.Values, from service.Reader) (*Form, error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	list, err := s.applied(services)
	if err != nil {
		return nil, err
	}
	return s.fill(ctx, who, list, answers, from)
}

// fill gathers, and says what is still to be asked.
func (s *Store) fill(ctx context.Context, who *identity.Principal, services []*service.Service, answers registry.Values, from service.Reader) (*Form, error) {
	f := &Form{Services: services}
	names := merged(f.Services)
	if err := answerable(f.Services, names, answers); err != nil {
		return nil, err
	}
	reader := &once{Reader: from, read: map[string]*reading{}}
	now := s.Now()
	for i, one := range f.Services {
		known, origins, err := one.Gather(ctx, reader, who)
		if err != nil {
			return nil, err
		}
		b := body{}
		for _, o := range origins {
			if value, there := known[o.Fact]; there {
				b.Facts = append(b.Facts, Fact{Name: o.Fact, Value: value, Type: string(one.Fact(o.Fact).Type), Items: one.Fact(o.Fact).ItemTypes(), Agreement: o.Agreement, Receipt: o.Receipt, At: manifest.FormatDatetime(now)})
			} else if !slices.ContainsFunc(f.Lacking, func(l service.Origin) bool { return l.Agreement == o.Agreement }) {
				f.Lacking = append(f.Lacking, o)
			}
		}
		said, err := one.Known(given(one, names[i], answers))
		if err != nil {
			return nil, err
		}
		for j := range one.Facts { // in the order of the manifest
			if value, there := said[one.Facts[j].Name]; there {
				b.say(&one.Facts[j], value, now)
			}
		}
		verdict := one.Check(b.known(), service.Today(now))
		f.Verdicts, f.Facts = append(f.Verdicts, verdict), append(f.Facts, b.Facts)
		f.ask(one, names[i], verdict)
	}
	f.Papers = needed(f.Services, f.Lacking)
	return f, nil
}

// given are the answers for a service by the names of its facts.
func given(one *service.Service, names []string, answers registry.Values) registry.Values {
	out := registry.Values{}
	for i := range one.Facts {
		if v, there := answers[names[i]]; there {
			out[one.Facts[i].Name] = v
		}
	}
	return out
}

// ask adds what a service still has to know.
func (f *Form) ask(one *service.Service, names []string, v *service.Verdict) {
	missing := slices.Clone(v.Missing)
	if v.Benefit != nil {
		missing = append(missing, v.Benefit.Missing...)
	}
	for _, name := range missing {
		at := slices.IndexFunc(one.Facts, func(x service.Fact) bool { return x.Name == name })
		known := slices.IndexFunc(f.Asks, func(q Question) bool { return q.Name == names[at] })
		if known < 0 {
			f.Asks = append(f.Asks, Question{Name: names[at], Fact: &one.Facts[at]})
			known = len(f.Asks) - 1
		}
		if q := &f.Asks[known]; !slices.Contains(q.Services, one.Path()) {
			q.Services = append(q.Services, one.Path())
		}
	}
}

// merged names the questions of services, one list for each, in the order of its facts. Facts that cite the same term are one question, called as the first service calls it; where two that
// don't are called alike, the later one bears its service's name too.
func merged(services []*service.Service) [][]string {
	byTerm, taken := map[string]string{}, map[string]string{}
	out := make([][]string, len(services))
	for i, one := range services {
		cited := map[string]bool{}
		for j := range one.Facts {
			f := &one.Facts[j]
			meaning := "term " + f.Term
			if f.IsList() {
				meaning = listMeaning(f)
			} else if f.Term == "" || cited[f.Term] { // two facts of one service aren't the same, whatever they cite
				meaning = "fact " + one.Path() + " " + f.Name
			}
			cited[f.Term] = true
			name, ok := byTerm[meaning]
			if !ok {
				name = f.Name
				if taken[name] != "" {
					name = one.Path() + "." + f.Name
				}
				byTerm[meaning], taken[name] = name, meaning
			}
			out[i] = append(out[i], name)
		}
	}
	return out
}

// listMeaning is what a list is: two are the same that are called alike and have the same terms.
func listMeaning(f *service.Fact) string {
	out := "list " + f.Name
	for i := range f.Items {
		out += fmt.Sprintf(" %s=%s", f.Items[i].Name, f.Items[i].Term)
		if f.Items[i].Term == "" {
			return "fact " + f.Name + " of " + f.Agreement.String()
		}
	}
	return out
}

// Questions are all that may be asked for some services, each once, as [Store.Form] names them.
func Questions(services []*service.Service) (out []Question) {
	for i, names := range merged(services) {
		for j, name := range names {
			if !slices.ContainsFunc(out, func(q Question) bool { return q.Name == name }) {
				out = append(out, Question{Name: name, Fact: &services[i].Facts[j]})
			}
		}
	}
	return out
}

// QuestionName is what a fact of one of some services is called in answers.
func QuestionName(services []*service.Service, of *service.Service, f *service.Fact) string {
	names := merged(services)
	for i, one := range services {
		if one != of {
			continue
		}
		for j := range one.Facts {
			if &one.Facts[j] == f {
				return names[i][j]
			}
		}
	}
	return f.Name
}

// answerable says which answers are to no question.
func answerable(services []*service.Service, names [][]string, answers registry.Values) error {
	var all []string
	for _, of := range names {
		all = append(all, of...)
	}
	var faults []problem.Detail
	for name := range answers {
		if !slices.Contains(all, name) {
			d := problem.Detail{Code: "service.unknown_fact", Where: name, Message: lang.F("이 서비스가 쓰지 않는 사실입니다: %s", "no service has a fact %s", name)}
			if near := manifest.Nearest(name, all); near != "" {
				d.Hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
			}
			faults = append(faults, d)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	slices.SortFunc(faults, func(a, b problem.Detail) int { return strings.Compare(a.Where, b.Where) })
	p := problem.New("service.facts", 422, lang.T("알려 주신 내용 가운데 쓰이지 않는 것이 있습니다", "some of the facts aren't used"))
	p.At = faults
	return p
}

// Submit hands an application in: a case for each service, all of them or none, each with the facts of that moment. The same key again is the same application.
//
// Codes: those of [Store.Form]; application.missing with what must still be answered; application.open where such a case is under way.
func (s *Store) Submit(ctx context.Context, who *identity.Principal, in Submission) (*Application, error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	if in.Draft != "" {
		in.Once = "draft " + in.Draft
	}
	if in.Once == "" {
		in.Once = rand.Text()
	}
	if len(in.Once) > 200 {
		return nil, problem.New("application.once", 400, lang.T("Idempotency-Key가 너무 깁니다", "the Idempotency-Key is too long"))
	}
	before, err := s.before(ctx, who, in.Once)
	if before != nil || err != nil {
		return before, err
	}
	if in.Draft != "" {
		d, err := s.Draft(ctx, who, in.Draft)
		if err != nil {
			return nil, err
		}
		in.Services, in.Answers = d.Services, d.Answers
	}
	var form *Form
	now := s.Catalog.Snapshot()
	for { // the rule that answers is that of the revision that is kept with the case
		if form, err = s.form(ctx, who, in.Services, in.Answers, s.Reader); err != nil { // read at this moment
			return nil, err
		}
		after := s.Catalog.Snapshot()
		if after.Revision == now.Revision {
			break
		}
		now = after
	}
	if len(form.Asks) > 0 {
		p := problem.New("application.missing", 422, lang.T("아직 답하지 않으신 질문이 있습니다", "some questions aren't answered yet"))
		for _, q := range form.Asks {
			p.At = append(p.At, problem.Detail{Code: "record.required", Where: q.Name, Message: q.Fact.Question()})
		}
		return nil, p
	}
	a := &Application{At: s.Now().UTC().Truncate(1e6)}
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "applications of "+who.Person); err != nil {
			return err
		}
		if before, err = s.find(ctx, tx, who.Person, in.Once); before != nil || err != nil {
			return err
		}
		var lately int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM application WHERE person = ? AND at > ?", who.Person, stored(a.At.Add(-24*time.Hour))).Scan(&lately); err != nil {
			return fmt.Errorf("count applications: %w", err)
		}
		if lately >= maxDaily {
			return problem.New("application.many", 429, lang.F("하루에 %d번까지 신청하실 수 있습니다", "one may apply at most %d times a day", maxDaily)).Hinting(lang.T("내일 다시 신청해 주십시오", "apply again tomorrow"))
		}
		if a.ID, err = number(a.At); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO application (id, person, once, at) VALUES (?, ?, ?, ?)", a.ID, who.Person, in.Once, stored(a.At)); err != nil {
			return fmt.Errorf("keep an application: %w", err)
		}
		for i, one := range form.Services {
			open, err := s.cases(ctx, tx, "person = ? AND project = ? AND service = ? AND done = ?", who.Person, one.Project, one.Name, false)
			if err != nil {
				return err
			}
			if len(open) > 0 {
				return problem.New("application.open", 409, lang.F("이미 신청하셔서 처리 중입니다: %[1]s (%[2]s)", "you have applied for %[1]s already, and it is under way (%[2]s)", one.Spec.Title, open[0].ID))
			}
			if err := s.full(ctx, tx, one); err != nil {
				return err
			}
			if err := s.listed(ctx, tx, one); err != nil {
				return err
			}
			if err := s.begin(ctx, tx, a, who, now, one, fmt.Sprintf("%s-%d", a.ID, i+1), form.Facts[i], form.Verdicts[i]); err != nil {
				return err
			}
		}
		if in.Draft == "" {
			return nil
		}
		d, err := s.draft(ctx, tx, who, in.Draft)
		if err != nil {
			return err
		}
		if !maps.Equal(texts(d.Answers), texts(in.Answers)) {
			return problem.New("draft.moved", 409, lang.T("그사이에 답이 바뀌었습니다", "an answer has changed meanwhile")).Hinting(lang.T("내용을 다시 확인한 뒤 신청해 주십시오", "look at it again first"))
		}
		return s.handIn(ctx, tx, d, a, form.Services)
	})
	if err == nil && before != nil {
		return before, nil
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// begin makes the case of a service.
func (s *Store) begin(ctx context.Context, tx *db.Tx, a *Application, who *identity.Principal, now *catalog.Snapshot, one *service.Service, id string, facts []Fact, verdict *service.Verdict) error {
	owners := now.Place(one.Project).Owners
	if len(owners) == 0 {
		return fmt.Errorf("nobody owns the project %s", one.Project)
	}
	c := &Case{
		ID: id, Application: a.ID, Project: one.Project, Service: one.Name, Title: one.Spec.Title, Agency: owners[0], State: Received, Received: a.At, Version: 1, Revision: now.Revision, person: who.Person,
		body: body{Facts: facts, AsOf: verdict.AsOf, Verdict: verdict},
	}
	if drawnOn(one, service.Today(a.At)) != nil {
		c.entry = newEntry()
	}
	var err error
	if c.onceKey, err = s.onceKey(one, &c.body); err != nil {
		return err
	}
	before, err := s.given(ctx, tx, one, who.Person, c.onceKey, "", a.At)
	if err != nil {
		return err
	}
	if before != nil {
		return problem.New("application.once_given", 409, lang.F("이미 받으신 서비스입니다: %s. 한 번만 받으실 수 있습니다", "%s has been given already, and is given once", one.Spec.Title))
	}
	cal, why := calendar(now, one.Spec.Process)
	if p := one.Spec.Process; p != nil {
		c.body.Clock.Term, _ = term.Parse(p.Due) // it was checked at plan time
		c.body.Clock.Began = a.At
	}
	c.plan(one)
	c.count(cal, why)
	c.awaken()
	if err := s.assign(ctx, tx, one, c); err != nil {
		return err
	}
	if err := s.insert(ctx, tx, c); err != nil {
		return err
	}
	a.Cases = append(a.Cases, c)
	if err := s.event(ctx, tx, c, CaseStep{Action: "apply"}); err != nil || c.Assignee == "" {
		return err
	}
	return s.event(ctx, tx, c, CaseStep{Action: "assign", Internal: true, Note: c.Assignee})
}

// texts are answers as they can be compared.
func texts(answers registry.Values) map[string]string {
	out := make(map[string]string, len(answers))
	for name, v := range answers {
		out[name] = fmt.Sprintf("%T %v", v, v)
	}
	return out
}

// before is an application that was handed in under a key, or nil.
func (s *Store) before(ctx context.Context, who *identity.Principal, key string) (a *Application, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		a, err = s.find(ctx, tx, who.Person, key)
		return err
	})
	return a, err
}

func (s *Store) find(ctx context.Context, tx *db.Tx, person, key string) (*Application, error) {
	a := &Application{}
	var at string
	err := tx.QueryRow(ctx, "SELECT id, at FROM application WHERE person = ? AND once = ?", person, key).Scan(&a.ID, &at)
	if db.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an application: %w", err)
	}
	if a.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
		return nil, err
	}
	a.Cases, err = s.cases(ctx, tx, "application = ? ORDER BY id", a.ID)
	return a, err
}

// number is one that can be read out: the year and eight digits, the last of which tells most slips (Luhn, ISO/IEC 7812-1).
func number(at time.Time) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(10_000_000))
	if err != nil {
		return "", err
	}
	digits := fmt.Sprintf("%07d", n)
	sum := 0
	for i, c := range digits {
		d := int(c - '0')
		if i%2 == 0 { // every second one from the right, the check digit to come
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	digits += fmt.Sprint((10 - sum%10) % 10)
	return fmt.Sprintf("%d-%s-%s", at.In(manifest.Seoul).Year(), digits[:4], digits[4:]), nil
}

// once reads each agreement's record once for all services of a form.
type once struct {
	service.Reader
	read map[string]*reading
}

type reading struct {
	records []*registry.Record
	receipt int64
	err     error
}

// About implements [service.Reader].
func (o *once) About(ctx context.Context, who *identity.Principal, project, name string, fields []string) ([]*registry.Record, int64, error) {
	key := project + "/" + name + " " + strings.Join(fields, " ")
	r := o.read[key]
	if r == nil {
		r = &reading{}
		r.records, r.receipt, r.err = o.Reader.About(ctx, who, project, name, fields)
		o.read[key] = r
	}
	return r.records, r.receipt, r.err
}

// UnmarshalJSON reads a fact, its values as their type has them.
func (f *Fact) UnmarshalJSON(text []byte) error {
	type plain Fact
	var p struct {
		plain
		Value json.RawMessage `json:"value"`
		Claim json.RawMessage `json:"claim"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*f = Fact(p.plain)
	var err error
	if f.Value, err = f.typed(p.Value); err == nil {
		f.Claim, err = f.typed(p.Claim)
	}
	return err
}

// typed is a value of JSON as the fact's type has it.
func (f *Fact) typed(text json.RawMessage) (any, error) {
	if f.Items == nil {
		return typed(manifest.Type(f.Type), text)
	}
	var list []map[string]json.RawMessage
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	out := make([]map[string]any, len(list))
	for i, record := range list {
		out[i] = make(map[string]any, len(record))
		for name, text := range record {
			v, err := typed(f.Items[name], text)
			if err != nil {
				return nil, err
			}
			out[i][name] = v
		}
	}
	return out, nil
}

// typed is a value of JSON as its type has it.
func typed(t manifest.Type, text json.RawMessage) (v any, err error) {
	if len(text) == 0 {
		return nil, nil
	}
	switch t {
	case manifest.Int:
		var n *int64
		if err = json.Unmarshal(text, &n); n != nil {
			v = *n
		}
	case manifest.Double:
		var n *float64
		if err = json.Unmarshal(text, &n); n != nil {
			v = *n
		}
	default:
		err = json.Unmarshal(text, &v)
	}
	return v, err
}
