package casework

import (
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/term"
)

// State is where a case stands.
type State string

// The states of cases.
const (
	Received   State = "received"
	Supplement State = "supplement" // the citizen owes something; the clock stands
	Proposed   State = "proposed"   // one has decided, a second one hasn't yet
	Approved   State = "approved"
	Paid       State = "paid"
	Refused    State = "refused"
	Objected   State = "objected" // against a refusal
	Dismissed  State = "dismissed"
	Returned   State = "returned" // what was missing didn't come
	Withdrawn  State = "withdrawn"
)

var stateTitles = map[State]lang.Text{
	Received: lang.T("처리 중", "under way"), Supplement: lang.T("보완 요청", "supplement asked for"), Proposed: lang.T("결재 중", "awaiting approval"), Approved: lang.T("승인", "approved"), Paid: lang.T("지급 완료", "paid"),
	Refused: lang.T("거부", "refused"), Objected: lang.T("이의신청 심사 중", "objection under review"), Dismissed: lang.T("이의신청 기각", "objection dismissed"), Returned: lang.T("반려", "returned"), Withdrawn: lang.T("취하", "withdrawn"),
}

// Title is the state in words.
func (s State) Title() lang.Text { return stateTitles[s] }

// Case is a request for one service on its way through an office.
type Case struct {
	ID          string    `json:"id"`
	Application string    `json:"application"`
	Project     string    `json:"project"`
	Service     string    `json:"service"`
	Title       lang.Text `json:"title"`
	Agency      string    `json:"agency" doc:"The office that decides"`
	State       State     `json:"state"`
	Done        bool      `json:"done" doc:"Nothing is waited for any more"`
	Assignee    string    `json:"assignee,omitempty"`
	Received    time.Time `json:"received"`
	Due         time.Time `json:"due,omitzero" doc:"By when it must be decided; absent while the clock stands and where it is done"`
	Version     int64     `json:"version" doc:"Goes up with each step. An action names the one it is for"`
	Revision    int64     `json:"revision" doc:"Of the catalog, by which it was applied for"`

	body   body
	person string
	wake   time.Time // when something is to be told

	entry   string // its line in the list of a draw; "" where nothing is drawn
	onceKey string // of what it is given once for, beside the person
}

// body is what is sealed of a case.
type body struct {
	Facts     []Fact             `json:"facts"`
	AsOf      manifest.Day       `json:"as_of"`
	Verdict   *service.Verdict   `json:"verdict"`
	Clock     term.Clock         `json:"clock"`
	Paused    time.Time          `json:"paused,omitzero"` // since when the clock stands
	Uncounted string             `json:"uncounted,omitempty"`
	Asked     *SupplementRequest `json:"asked,omitempty"`
	Decision  *Decision          `json:"decision,omitempty"`
	Objection *Objection         `json:"objection,omitempty"`
	Inspected bool               `json:"inspected,omitempty"`
	Steps     []ProcessStep      `json:"steps,omitempty"`
	Told      map[string]string  `json:"told,omitempty"` // what was told when its time had come, by what
}

// Fact is a fact of a case and where it came from.
type Fact struct {
	Name      string                   `json:"name"`
	Value     any                      `json:"value"`
	Type      string                   `json:"type"`
	Items     map[string]manifest.Type `json:"items,omitempty" doc:"Of a list: the types of what is known of each of its records"`
	Agreement string                   `json:"agreement,omitempty" doc:"By which it was read; without it the citizen said it"`
	Receipt   *int64                   `json:"receipt,omitempty"`
	Claim     any                      `json:"claim,omitempty" doc:"What the citizen says it is, where that differs"`
	At        string                   `json:"at" doc:"When it was read or said"`
}

// SupplementRequest is what a citizen is asked to supply (민원처리법 제22조).
type SupplementRequest struct {
	Text     string    `json:"text"`
	Until    time.Time `json:"until"`
	Days     int       `json:"days"`
	MoreTime int       `json:"more_time" doc:"How often the citizen asked for more time: twice at most (시행령 제24조제2항)"`
	Again    bool      `json:"again" doc:"It was asked for a second time (시행령 제24조제3항)"`
}

// Decision is what was decided, and by what.
type Decision struct {
	State   State            `json:"state"`
	At      time.Time        `json:"at"`
	By      string           `json:"by,omitempty" doc:"The account, for the office"`
	Name    string           `json:"name"`
	Office  string           `json:"office"`
	Clauses []int            `json:"clauses,omitempty" doc:"Of a refusal: which of the verdict's don't hold, from 0"`
	Reason  string           `json:"reason"`
	Remedy  lang.Text        `json:"remedy,omitzero" doc:"Of a refusal: what one may do (민원처리법 제27조제3항)"`
	Object  time.Time        `json:"object,omitzero" doc:"Of a refusal: until when one may object (민원처리법 제35조)"`
	Amount  *service.Amount  `json:"amount,omitempty"`
	Verdict *service.Verdict `json:"verdict"`
}

// Objection is an objection against a refusal (민원처리법 제35조).
type Objection struct {
	At       time.Time `json:"at"`
	Reason   string    `json:"reason"`
	Due      time.Time `json:"due"`
	Extended bool      `json:"extended,omitempty"`
}

// CaseStep is a step in a case's history.
type CaseStep struct {
	ID       int64     `json:"id"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor,omitempty" doc:"The account; absent for citizens and for what came by itself"`
	Name     string    `json:"name,omitempty"`
	Office   string    `json:"office,omitempty"`
	Action   string    `json:"action"`
	Title    lang.Text `json:"title"`
	State    State     `json:"state" doc:"Where it stood then"`
	Internal bool      `json:"internal,omitempty" doc:"For the office only"`
	Note     string    `json:"note,omitempty"`
}

// File is a case as those see it who may.
type File struct {
	*Case
	StateTitle lang.Text          `json:"state_title"`
	Office     lang.Text          `json:"office"`
	Facts      []ShownFact        `json:"facts"`
	AsOf       manifest.Day       `json:"as_of"`
	Verdict    *service.Verdict   `json:"verdict"`
	Term       lang.Text          `json:"term,omitzero"`
	Uncounted  string             `json:"uncounted,omitempty" doc:"Why there is no due time, where the calendar doesn't say"`
	Asked      *SupplementRequest `json:"asked,omitempty"`
	Decision   *Decision          `json:"decision,omitempty"`
	Objection  *Objection         `json:"objection,omitempty"`
	Papers     []*Paper           `json:"papers"`
	Needed     []Needed           `json:"needed" doc:"Documents that the service asks for"`
	Steps      []ProcessStep      `json:"steps,omitempty" doc:"Of its process, before the decision"`
	Draw       *DrawResult        `json:"draw,omitempty" doc:"Where those who get it are drawn"`
	Conflicts  []Conflict         `json:"conflicts,omitempty" doc:"For the office: what stands against giving it"`
	History    []CaseStep         `json:"history"`
	Actions    []Action           `json:"actions"`
	Mine       bool               `json:"mine" doc:"Who asks is the citizen it is about"`
}

// ShownFact is a fact with what it is called.
type ShownFact struct {
	Fact
	Title  lang.Text `json:"title"`
	Source lang.Text `json:"source,omitzero" doc:"What the data are called that it was read from"`
}

// known is the facts by their names, as rules take them.
func (b *body) known() map[string]any {
	out := make(map[string]any, len(b.Facts))
	for _, f := range b.Facts {
		out[f.Name] = f.Value
	}
	return out
}

// fact returns the fact of a name, or nil.
func (b *body) fact(name string) *Fact {
	for i := range b.Facts {
		if b.Facts[i].Name == name {
			return &b.Facts[i]
		}
	}
	return nil
}

// count says when the case is due by a calendar: not while its clock stands, and not where it is decided. Where the calendar doesn't say, why is kept.
func (c *Case) count(cal *term.Calendar, uncounted string) {
	c.Due, c.body.Uncounted = time.Time{}, ""
	c.countSteps(cal)
	switch {
	case c.State == Objected:
		c.Due = c.body.Objection.Due
	case c.body.Clock.Term.N == 0 || !c.body.Paused.IsZero():
	case c.State != Received && c.State != Proposed:
	case cal == nil:
		c.body.Uncounted = uncounted
	default:
		due, err := c.body.Clock.Due(cal)
		if err != nil {
			c.body.Uncounted = err.Error()
			return
		}
		c.Due = due.UTC()
	}
}
