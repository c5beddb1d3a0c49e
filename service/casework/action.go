package casework

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/term"
)

// ActionInput is what somebody says with an action.
type ActionInput struct {
	Version   int64           `json:"version" minimum:"1" doc:"The version of the case that was seen"`
	Reason    string          `json:"reason,omitempty" maxLength:"4000" doc:"What the citizen reads, or of a note what colleagues read"`
	Days      int             `json:"days,omitempty" minimum:"0" maximum:"365" doc:"Of a supplement: until when; of an extension: by how much, in the unit of the term"`
	Ground    string          `json:"ground,omitempty" enum:"cooperation,facts,disaster,similar" doc:"Of an extension (민원처리법 시행령 제21조)"`
	Consented bool            `json:"consented,omitempty" doc:"Of a second extension: the citizen agrees"`
	Clauses   []int           `json:"clauses,omitempty" maxItems:"100" doc:"Of a refusal: the clauses that don't hold, from 0"`
	Agency    string          `json:"agency,omitempty" maxLength:"63" doc:"Of a transfer: the office it belongs to"`
	Step      string          `json:"step,omitempty" maxLength:"63" doc:"Of a step or an opinion: which; where it is left out the first that waits"`
	Answers   registry.Values `json:"answers,omitempty" doc:"Of a supplement: facts by their names"`
}

// Action is something that who asks may do to a case now.
type Action struct {
	Name  string    `json:"name"`
	Title lang.Text `json:"title"`
	Says  lang.Text `json:"says" doc:"What follows from it"`
	Needs []string  `json:"needs" doc:"Members of the body that it takes"`
}

// party is who may do an action.
type party int

const (
	citizen party = iota
	office
	adviser // of an office whose opinion is asked for
)

// action is a line of the table of actions.
type action struct {
	name     string
	by       party
	from     []State
	title    lang.Text
	says     lang.Text
	needs    []string
	internal bool
	only     func(p manifest.Process, c *Case) bool // nil: always
	do       func(*deed) error
}

// deed is an action being done.
type deed struct {
	*Case
	input   ActionInput
	who     *identity.Principal
	now     time.Time
	service *service.Service // as it was applied for by
	current *service.Service // as it is now; nil: it isn't offered any more
	cal     *term.Calendar   // nil where there is none
	catalog *catalog.Snapshot
	note    string

	conflicts []Conflict
	papers    []*Paper
	draw      *DrawResult
}

// A form's and an API's words for what an action takes.
const (
	needReason  = "reason"
	needDays    = "days"
	needGround  = "ground"
	needClauses = "clauses"
	needAgency  = "agency"
	needAnswers = "answers"
	needStep    = "step"
)

// maxReason is how long a reason may be, in characters.
const maxReason = 2000

// actions is the table: who may do what in which state. A new one is a line here.
var actions = []action{
	{
		name: "take", by: office, from: []State{Received, Supplement, Proposed, Objected, Approved}, title: lang.T("담당하기", "Take"), says: lang.T("처리 담당자가 됩니다.", "It becomes yours."), internal: true, do: take,
		only: nil,
	},
	{name: "approve", by: office, from: []State{Received}, title: lang.T("승인", "Approve"), says: lang.T("신청하신 분께 승인을 알립니다.", "The citizen is told that it is approved."), needs: []string{needReason}, only: decides, do: approve},
	{name: "confirm", by: office, from: []State{Proposed}, title: lang.T("결재", "Confirm"), says: lang.T("결정을 확정하여 신청하신 분께 알립니다.", "The decision stands, and the citizen is told."), do: confirm},
	{name: "send-back", by: office, from: []State{Proposed}, title: lang.T("초안 돌려보내기", "Send back"), says: lang.T("결정 초안을 담당자에게 돌려보냅니다.", "The draft goes back to whoever made it."), needs: []string{needReason}, internal: true, do: sendBack},
	{name: "refuse", by: office, from: []State{Received}, title: lang.T("거부", "Refuse"), says: lang.T("맞지 않는 요건과 거부 이유, 이의신청 등의 구제절차를 신청하신 분께 알립니다.", "The citizen is told the clause, the reason, and how to object or appeal."), needs: []string{needClauses, needReason}, only: decides, do: refuse},
	{name: "ask", by: office, from: []State{Received}, title: lang.T("보완 요청", "Ask for a supplement"), says: lang.T("보완하실 때까지 처리기간이 멈춥니다.", "The clock stands until it comes."), needs: []string{needReason, needDays}, do: ask},
	{name: "ask-again", by: office, from: []State{Supplement}, title: lang.T("다시 보완 요청", "Ask again"), says: lang.T("기한 안에 보완하지 않으셨을 때, 10일 이내의 기한을 정하여 한 번만 더 요청합니다.", "What didn't come is asked for once more, by a date within ten days."), needs: []string{needReason, needDays}, only: lapsed, do: askAgain},
	{name: "return", by: office, from: []State{Supplement}, title: lang.T("반려", "Return"), says: lang.T("기한 안에 보완하지 않은 신청을 이유를 밝혀 되돌려 보냅니다.", "What wasn't supplied in time goes back, with the reason."), needs: []string{needReason}, only: lapsed, do: giveBack},
	{name: "inspect", by: office, from: []State{Received}, title: lang.T("현장 확인 기록", "Record the visit"), says: lang.T("현장 확인 결과를 남깁니다.", "What was seen is kept."), needs: []string{needReason}, only: inspects, internal: true, do: inspect},
	{name: "step", by: office, from: []State{Received}, title: lang.T("단계 완료", "Step done"), says: lang.T("이 단계에서 확인한 내용을 남깁니다. 다음 단계가 있으면 이어집니다.", "What was found is kept; the next step begins."), needs: []string{needStep, needReason}, only: hasStep(false), internal: true, do: doStep(false)},
	{name: "opine", by: adviser, from: []State{Received, Supplement, Proposed}, title: lang.T("의견 내기", "Give the opinion"), says: lang.T("결정하는 기관에 의견을 보냅니다. 신청인에게는 보이지 않습니다.", "The office that decides gets it; the citizen doesn't see it."), needs: []string{needStep, needReason}, only: hasStep(true), internal: true, do: doStep(true)},
	{name: "extend", by: office, from: []State{Received, Proposed, Objected}, title: lang.T("처리기간 연장", "Extend"), says: lang.T("연장 사유와 처리완료 예정일을 신청하신 분께 알립니다.", "The citizen is told why, and the new date."), needs: []string{needGround, needReason, needDays}, do: extend},
	{name: "transfer", by: office, from: []State{Received}, title: lang.T("이송", "Transfer"), says: lang.T("다른 기관의 일이면 그 기관으로 보내고 신청하신 분께 알립니다.", "It goes to the office it belongs to, and the citizen is told."), needs: []string{needAgency, needReason}, do: transfer},
	{name: "rerun", by: office, from: []State{Received, Proposed}, title: lang.T("기준 다시 적용", "Run the rule again"), says: lang.T("지금의 기준으로 다시 확인해 봅니다. 결정에는 신청하신 날의 기준을 씁니다.", "Shows what today's rule would say; the decision follows the rule of the day of the application."), internal: true, do: rerun},
	{name: "pay", by: office, from: []State{Approved}, title: lang.T("지급 완료", "Paid"), says: lang.T("지급했음을 신청하신 분께 알립니다.", "The citizen is told that it has been paid."), only: pays, do: pay},
	{name: "uphold", by: office, from: []State{Objected}, title: lang.T("이의신청 인용", "Uphold"), says: lang.T("거부 결정을 취소하고 승인합니다.", "The refusal is reversed, and the application is approved."), needs: []string{needReason}, do: uphold},
	{name: "dismiss", by: office, from: []State{Objected}, title: lang.T("이의신청 기각", "Dismiss"), says: lang.T("거부 결정을 유지하고, 그 이유와 불복 방법·절차를 신청하신 분께 알립니다.", "The refusal stands; the citizen is told why, and how to appeal."), needs: []string{needReason}, do: dismiss},
	{name: "note", by: office, from: nil, title: lang.T("메모", "Note"), says: lang.T("동료만 볼 수 있습니다.", "Colleagues alone see it."), needs: []string{needReason}, internal: true, do: note},

	{name: "supply", by: citizen, from: []State{Supplement}, title: lang.T("보완하기", "Supply it"), says: lang.T("멈췄던 처리기간이 이어집니다.", "The processing time runs again."), needs: []string{needReason, needAnswers}, do: supply},
	{name: "more-time", by: citizen, from: []State{Supplement}, title: lang.T("보완 기간 늘리기", "Ask for more time"), says: lang.T("두 번까지 늘리실 수 있습니다.", "You may do so twice."), needs: []string{needDays, needReason}, do: moreTime},
	{name: "withdraw", by: citizen, from: []State{Received, Supplement, Proposed}, title: lang.T("신청 취하", "Withdraw"), says: lang.T("신청을 거두어들입니다. 나중에 다시 신청하실 수 있습니다.", "You take your application back; you may apply again later."), do: withdraw},
	{name: "object", by: citizen, from: []State{Refused}, title: lang.T("이의신청", "Object"), says: lang.T("거부 결정을 받으신 날부터 60일 안에 하실 수 있습니다.", "Within 60 days of receiving the refusal."), needs: []string{needReason}, only: objectable, do: object},
}

// find returns the action of a name, or nil.
func find(name string) *action {
	for i := range actions {
		if actions[i].name == name {
			return &actions[i]
		}
	}
	return nil
}

// open reports whether the action can be done to a case in its present state.
func (a *action) open(p manifest.Process, c *Case) bool {
	return (a.from == nil || slices.Contains(a.from, c.State)) && (a.only == nil || a.only(p, c))
}

func decides(p manifest.Process, c *Case) bool {
	return p.Template != manifest.Inspect || c.body.Inspected
}

func inspects(p manifest.Process, c *Case) bool {
	return p.Template == manifest.Inspect && !c.body.Inspected
}

func pays(p manifest.Process, _ *Case) bool { return p.Template == manifest.ReviewAndPay }

func lapsed(_ manifest.Process, c *Case) bool { return c.body.Told[toldLapsed] != "" }

func objectable(_ manifest.Process, c *Case) bool {
	return c.body.Decision != nil && c.body.Objection == nil
}

// said is the reason, which mustn't be missing.
func (d *deed) said() (string, error) {
	text := strings.TrimSpace(d.input.Reason)
	if n := utf8.RuneCountInString(text); n == 0 || n > maxReason {
		return "", wrong(needReason, "case.reason", lang.F("%d자 이내로 적어 주십시오", "say it in at most %d characters", maxReason))
	}
	d.note = text
	return text, nil
}

// wrong is the problem that a member of what was sent isn't right.
func wrong(where, code string, message lang.Text) error {
	p := problem.New(code, 422, message)
	p.At = []problem.Detail{{Code: code, Where: where, Message: message}}
	return p
}

func take(d *deed) error {
	d.Assignee = d.who.Actor()
	return nil
}

func note(d *deed) error {
	_, err := d.said()
	return err
}

func inspect(d *deed) error {
	_, err := d.said()
	d.body.Inspected = true
	return err
}

// decide keeps a decision. It is by the rule and the day of the application, on the facts as they are now.
func (d *deed) decide(to State) {
	d.body.Verdict = d.service.Check(d.body.known(), d.body.AsOf)
	d.body.Decision = &Decision{
		State: to, At: d.now, By: d.who.Actor(), Name: d.who.Name, Office: d.Agency, Clauses: d.input.Clauses, Reason: d.note, Amount: d.body.Verdict.Benefit, Verdict: d.body.Verdict,
	}
}

func approve(d *deed) error {
	d.note = strings.TrimSpace(d.input.Reason)
	verdict := d.service.Check(d.body.known(), d.body.AsOf)
	if verdict.Outcome != service.Yes { // a person decides, and says why it isn't what the rule says
		if _, err := d.said(); err != nil {
			return wrong(needReason, "case.against_rule", lang.T("기준에 맞지 않거나 확인되지 않은 요건이 있습니다. 승인하는 이유를 적어 주십시오", "a clause doesn't hold or isn't known: say why it is approved all the same"))
		}
	}
	if utf8.RuneCountInString(d.note) > maxReason {
		_, err := d.said()
		return err
	}
	if err := d.stepped(); err != nil {
		return err
	}
	if err := d.unopposed(); err != nil {
		return err
	}
	d.decide(Approved)
	return d.settle(Approved)
}

// unopposed says why it can't be approved: it has been given already, or something that it excludes has. A case that is only under way doesn't stand against it.
func (d *deed) unopposed() error {
	if err := d.chosen(); err != nil {
		return err
	}
	for _, x := range d.conflicts {
		if !x.Counts && (x.Once || x.State == Approved || x.State == Paid) {
			return problem.New("case.conflict", 409, lang.F("함께 받을 수 없습니다: %[1]s (%[2]s)", "it can't be had beside %[1]s (%[2]s)", x.Title, x.Case)).Hinting(lang.T("다른 신청이 취하되거나 거부된 뒤에 승인하실 수 있습니다", "one of them has to be withdrawn or refused first"))
		}
	}
	return nil
}

// settle puts a decision into effect, or before a second pair of eyes where the process asks for that.
func (d *deed) settle(to State) error {
	if d.process().Template == manifest.TwoStepApproval && d.State == Received {
		d.State = Proposed
		return nil
	}
	d.State = to
	if to == Refused {
		return d.refused()
	}
	return nil
}

// refused says until when one may object (민원처리법 제35조제1항), and what else one may do (제27조제3항, 제35조제3항).
func (d *deed) refused() error {
	if d.cal == nil {
		return problem.New("calendar.missing", 409, lang.T("업무일력이 없어 이의신청 기한을 정할 수 없습니다", "without a calendar nobody can say until when one may object")).Hinting(lang.T("관리자에게 알려 주십시오", "tell the administrator"))
	}
	until, err := d.cal.Days(d.now, 60)
	if err != nil {
		return err
	}
	d.body.Decision.Object = until.UTC()
	d.body.Decision.Remedy = lang.T("거부 결정을 받으신 날부터 60일 안에 이의신청을 하실 수 있습니다. 이의신청과 관계없이, 결정을 아신 날부터 90일 안에 행정심판을 청구하시거나 행정소송을 제기하실 수 있습니다. 이의신청을 하셨으면 그 결과를 통지받으신 날부터 90일 안에 하실 수 있습니다.", "You may object within 60 days of receiving the refusal. Whether you object or not, you may bring an administrative appeal or a lawsuit within 90 days of knowing of the decision; after an objection, within 90 days of being told its result.")
	return nil
}

func refuse(d *deed) error {
	if _, err := d.said(); err != nil {
		return err
	}
	if len(d.input.Clauses) == 0 {
		return wrong(needClauses, "case.clause", lang.T("맞지 않는 요건을 골라 주십시오", "name the clauses that don't hold"))
	}
	for _, i := range d.input.Clauses {
		if i < 0 || i >= len(d.service.Clauses) {
			return wrong(needClauses, "case.clause", lang.F("없는 요건입니다: %d", "there is no clause %d", i))
		}
	}
	d.decide(Refused)
	return d.settle(Refused)
}

func confirm(d *deed) error {
	if d.body.Decision.By == d.who.Actor() {
		return problem.New("case.same_person", 403, lang.T("결정한 사람은 결재하실 수 없습니다", "whoever made the decision can't confirm it")).Hinting(lang.T("다른 담당자가 결재해 주십시오", "another caseworker has to"))
	}
	d.note = d.body.Decision.Reason
	if d.body.Decision.State == Approved {
		if err := d.unopposed(); err != nil {
			return err
		}
	}
	d.State = d.body.Decision.State
	if d.State == Refused {
		return d.refused()
	}
	return nil
}

func sendBack(d *deed) error {
	_, err := d.said()
	d.State, d.body.Decision = Received, nil
	return err
}

// Limits of supplements.
const (
	moreTimes = 2  // 시행령 제24조제2항
	againDays = 10 // 시행령 제24조제3항
)

func (d *deed) until(days, most int) (time.Time, error) {
	if days < 1 || days > most {
		return time.Time{}, wrong(needDays, "case.days", lang.F("1–%d일 가운데에서 정해 주십시오", "1 to %d days", most))
	}
	if d.cal == nil {
		return time.Time{}, problem.New("calendar.missing", 409, lang.T("업무일력이 없어 기한을 정할 수 없습니다", "without a calendar no date can be set"))
	}
	until, err := d.cal.Days(d.now, days)
	return until.UTC(), err
}

func ask(d *deed) error {
	text, err := d.said()
	if err != nil {
		return err
	}
	until, err := d.until(d.input.Days, 60)
	if err != nil {
		return err
	}
	d.State, d.body.Paused = Supplement, d.now
	d.body.Asked = &SupplementRequest{Text: text, Until: until, Days: d.input.Days}
	delete(d.body.Told, toldLapsed)
	return nil
}

func askAgain(d *deed) error {
	text, err := d.said()
	if err != nil {
		return err
	}
	if d.body.Asked.Again {
		return problem.New("case.asked_twice", 409, lang.T("보완은 한 번만 다시 요청하실 수 있습니다 (민원처리법 시행령 제24조)", "it can be asked for again only once (민원처리법 시행령 제24조)")).Hinting(lang.T("이유를 밝혀 반려하실 수 있습니다", "you may return it with the reason"))
	}
	until, err := d.until(d.input.Days, againDays)
	if err != nil {
		return err
	}
	d.body.Asked = &SupplementRequest{Text: text, Until: until, Days: d.input.Days, MoreTime: d.body.Asked.MoreTime, Again: true}
	delete(d.body.Told, toldLapsed)
	return nil
}

func moreTime(d *deed) error {
	if _, err := d.said(); err != nil {
		return err
	}
	if d.body.Asked.MoreTime >= moreTimes {
		return problem.New("case.more_time", 409, lang.T("보완 기간은 두 번까지 늘리실 수 있습니다 (민원처리법 시행령 제24조)", "more time is given twice at most (민원처리법 시행령 제24조)"))
	}
	until, err := d.until(d.input.Days, 60)
	if err != nil {
		return err
	}
	if !until.After(d.body.Asked.Until) {
		return wrong(needDays, "case.days", lang.T("지금의 보완 기한보다 늦은 날이어야 합니다", "it has to be later than the present deadline"))
	}
	d.body.Asked.Until = until
	d.body.Asked.MoreTime++
	delete(d.body.Told, toldLapsed)
	return nil
}

func supply(d *deed) error {
	handed := slices.ContainsFunc(d.papers, func(p *Paper) bool { return p.By == "" && p.At.After(d.body.Paused) })
	if len(d.input.Answers) == 0 && !handed {
		if _, err := d.said(); err != nil {
			return err
		}
	}
	d.note = strings.TrimSpace(d.input.Reason)
	if utf8.RuneCountInString(d.note) > maxReason {
		_, err := d.said()
		return err
	}
	given, err := d.service.Known(d.input.Answers)
	if err != nil {
		return err
	}
	for name, value := range given {
		d.body.say(d.service.Fact(name), value, d.now)
	}
	d.body.Verdict = d.service.Check(d.body.known(), d.body.AsOf)
	d.body.Clock.Pauses = append(d.body.Clock.Pauses, term.Pause{From: d.body.Paused, To: d.now})
	d.State, d.body.Paused, d.body.Asked = Received, time.Time{}, nil
	return nil
}

// say keeps what a citizen says: beside what was read, it is a claim.
func (b *body) say(f *service.Fact, value any, now time.Time) {
	if old := b.fact(f.Name); old != nil {
		if old.Agreement != "" {
			if old.Claim = value; reflect.DeepEqual(value, old.Value) {
				old.Claim = nil
			}
			return
		}
		old.Value, old.At = value, manifest.FormatDatetime(now)
		return
	}
	b.Facts = append(b.Facts, Fact{Name: f.Name, Value: value, Type: string(f.Type), Items: f.ItemTypes(), At: manifest.FormatDatetime(now)})
}

func giveBack(d *deed) error {
	_, err := d.said()
	d.State = Returned
	return err
}

func withdraw(d *deed) error {
	d.State = Withdrawn
	return nil
}

// grounds are those of 민원처리법 시행령 제21조제1항. Workload, late assignment and absence aren't among them (제2항).
var grounds = map[string]lang.Text{
	"cooperation": lang.T("관계 기관·부서의 협조가 필요함", "other offices have to help"), "facts": lang.T("사실관계 또는 현장 확인이 필요함", "facts or a place have to be looked at"),
	"disaster": lang.T("천재지변이나 그 밖의 불가항력적인 사유", "a natural disaster or another force majeure"), "similar": lang.T("그에 준하는 사유", "a similar cause"),
}

// Grounds lists the grounds of an extension, for forms.
func Grounds() map[string]lang.Text { return grounds }

func extend(d *deed) error {
	text, err := d.said()
	if err != nil {
		return err
	}
	ground, ok := grounds[d.input.Ground]
	if !ok {
		return wrong(needGround, "case.ground", lang.T("연장 사유를 골라 주십시오. 업무가 많거나, 담당자를 늦게 정했거나, 담당자가 없는 것은 연장 사유가 되지 않습니다 (민원처리법 시행령 제21조)", "choose a ground; workload, late assignment or absence is none (민원처리법 시행령 제21조)"))
	}
	d.note = ground.Ko + ": " + text
	if d.State == Objected {
		if d.body.Objection.Extended {
			return problem.New("clock.extended", 409, lang.T("이의신청의 결정 기간은 한 번만 연장하실 수 있습니다 (민원처리법 제35조제2항)", "the time for deciding an objection is extended only once (민원처리법 제35조제2항)"))
		}
		if d.input.Days < 1 || d.input.Days > 10 {
			return wrong(needDays, "case.days", lang.T("1–10일 가운데에서 정해 주십시오", "1 to 10 days"))
		}
		if d.cal == nil {
			return problem.New("calendar.missing", 409, lang.T("업무일력이 없습니다", "there is no calendar"))
		}
		due, err := d.cal.Days(d.body.Objection.Due, d.input.Days)
		d.body.Objection.Due, d.body.Objection.Extended = due.UTC(), true
		return err
	}
	if d.body.Clock.Term.N == 0 {
		return problem.New("clock.none", 409, lang.T("처리기간이 정해지지 않은 서비스입니다", "the service has no term"))
	}
	if len(d.body.Clock.Extended) == 1 && !d.input.Consented {
		return problem.New("clock.consent", 409, lang.T("두 번째 연장에는 신청하신 분의 동의가 필요합니다 (민원처리법 시행령 제21조)", "a second extension needs the citizen's consent (민원처리법 시행령 제21조)"))
	}
	clock, err := d.body.Clock.Extend(term.Term{N: d.input.Days, Unit: d.body.Clock.Term.Unit})
	d.body.Clock = clock
	return err
}

func transfer(d *deed) error {
	text, err := d.said()
	if err != nil {
		return err
	}
	key := manifest.Key{Kind: "Agency", Name: d.input.Agency}
	if d.catalog.Get(key) == nil || d.input.Agency == d.Agency {
		return wrong(needAgency, "case.agency", lang.T("보낼 기관을 골라 주십시오", "name another office"))
	}
	d.note = fmt.Sprintf("%s → %s: %s", d.catalog.Title(manifest.Key{Kind: "Agency", Name: d.Agency}).Ko, d.catalog.Title(key).Ko, text)
	d.Agency, d.Assignee = d.input.Agency, ""
	return nil
}

// rerun shows what the rule says that is in force now, beside the one that the case was applied for by. Nothing but the history changes.
func rerun(d *deed) error {
	today := service.Today(d.now)
	lines := []string{outcomeLine(fmt.Sprintf("신청한 날의 기준 (%s, 개정 %d)", d.body.AsOf, d.Revision), d.service.Check(d.body.known(), d.body.AsOf))}
	if d.current == nil {
		lines = append(lines, "지금의 기준: 더는 없는 서비스입니다")
	} else {
		lines = append(lines, outcomeLine(fmt.Sprintf("지금의 기준 (%s, 개정 %d)", today, d.catalog.Revision), d.current.Check(d.body.known(), today)))
	}
	d.note = strings.Join(lines, "\n")
	return nil
}

// outcomes are what a verdict says, in words.
var outcomes = map[service.Outcome]string{service.Yes: "요건에 맞음", service.No: "요건에 맞지 않음", service.Unknown: "확인할 수 없는 요건이 있음", service.Failed: "계산할 수 없는 요건이 있음"}

// outcomeLine says what a verdict is, and which clauses aren't met.
func outcomeLine(by string, v *service.Verdict) string {
	out := by + ": " + outcomes[v.Outcome]
	for _, c := range v.Clauses {
		if c.Outcome != service.Yes {
			out += "\n  · " + c.Why.Ko
		}
	}
	return out
}

func pay(d *deed) error {
	d.State = Paid
	return nil
}

func object(d *deed) error {
	text, err := d.said()
	if err != nil {
		return err
	}
	if d.now.After(d.body.Decision.Object) {
		return problem.New("case.objection_late", 409, lang.T("이의신청 기한이 지났습니다 (민원처리법 제35조)", "the time for an objection is over (민원처리법 제35조)")).Hinting(lang.T("행정심판과 행정소송은 결정을 아신 날부터 90일 안에 제기하실 수 있습니다", "an administrative appeal or a lawsuit may be brought within 90 days of knowing of the decision"))
	}
	due, err := d.until(10, 10)
	d.body.Objection = &Objection{At: d.now, Reason: text, Due: due}
	d.State = Objected
	return err
}

func uphold(d *deed) error {
	if _, err := d.said(); err != nil {
		return err
	}
	if err := d.stepped(); err != nil {
		return err
	}
	if err := d.unopposed(); err != nil {
		return err
	}
	d.decide(Approved)
	d.State = Approved
	return nil
}

func dismiss(d *deed) error {
	_, err := d.said()
	d.State = Dismissed
	return err
}
