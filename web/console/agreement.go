package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/exchange/mask"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Exchange is what the console needs of the exchange.
type Exchange interface {
	Agreements(ctx context.Context) ([]exchange.Standing, error)
	Agreement(ctx context.Context, project, name string) (exchange.Standing, []exchange.Event, error)
	Act(ctx context.Context, who *identity.Principal, project, name, action, note string, until manifest.Day) (exchange.Standing, error)
	Actions(who *identity.Principal, v *exchange.Version) []string
	Mine(who *identity.Principal, v *exchange.Version) bool
	Log(ctx context.Context) (exchange.LogState, error)
	Today() manifest.Day
	CutOff(ctx context.Context, who *identity.Principal, agency string, off bool, note string) error
	CutOffs(ctx context.Context, agency string) ([]exchange.CutOffEvent, error)
	Handle(d *catalog.Dataset, key string) (string, error)
	Feed(ctx context.Context, project, name string) (*exchange.FeedState, error)
	Reveal(ctx context.Context, who *identity.Principal, project, name, handle, reason string) (*registry.Record, int64, error)
}

const agreementsPath = "/console/agreements"

func agreementPath(project, name string) string { return agreementsPath + "/" + project + "/" + name }

func (c *Console) agreementRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+agreementsPath, seeing(c.agreements))
	mux.Handle("GET "+agreementsPath+"/{project}/{name}", seeing(c.agreement))
	mux.HandleFunc("POST "+agreementsPath+"/{project}/{name}", c.act)
	mux.Handle("GET /console/log", seeing(c.log))
}

// seeing is a page for those who may see the catalog.
func seeing(page components.Page) components.Page {
	return func(r *http.Request) (templ.Component, error) {
		if err := identity.From(r.Context()).Need(identity.SeeCatalog, identity.Place{}); err != nil {
			return nil, err
		}
		return page(r)
	}
}

type agreementView struct {
	Snapshot *catalog.Snapshot
	Today    manifest.Day
	Standing exchange.Standing
	Events   []exchange.Event
	Shown    *exchange.Version
	Other    *exchange.Version // the one that holds while a change waits, or the other way round; nil: there is none
	Dataset  *catalog.Dataset
	Actions  []action
	Waiting  []lang.Text         // whose approval is missing
	Feed     *exchange.FeedState // nil: nothing is sent
	Renew    bool                // who asks may ask for a longer term
	Done     lang.Text           // what they have just done
	Problem  *problem.Problem
	Typed    decision // what was typed into the form that Problem is about
}

// action is a thing that who asks may do now.
type action struct {
	Name  string
	Title lang.Text
	Then  lang.Text // what comes of it
	Note  bool      // a reason is needed
	Tone  string
}

var actionTexts = map[string]action{
	exchange.Approve: {Title: lang.T("승인", "Approve"), Tone: "primary"},
	exchange.Refuse: {
		Title: lang.T("거부", "Refuse"), Note: true, Tone: "secondary",
		Then: lang.T("신청이 끝납니다. 신청한 쪽은 이유를 보고 고쳐서 다시 신청할 수 있습니다.", "The request ends. Who asked sees the reason, and may ask again for something else."),
	},
	exchange.Suspend: {
		Title: lang.T("정지", "Suspend"), Note: true, Tone: "secondary",
		Then: lang.T("바로 다음 열람부터 거부됩니다. 나중에 다시 허용하실 수 있습니다.", "The very next read is refused. You can let it go on later."),
	},
	exchange.Resume: {
		Title: lang.T("다시 허용", "Resume"), Tone: "primary",
		Then: lang.T("바로 다음 열람부터 다시 허용됩니다.", "From the next read on it works again."),
	},
	exchange.Revoke: {
		Title: lang.T("철회", "Revoke"), Note: true, Tone: "danger",
		Then: lang.T("바로 다음 열람부터 거부되며, 되돌릴 수 없습니다. 다시 열람하려면 새로 신청하여 승인을 받아야 합니다.", "The very next read is refused, and this can't be undone: to read again, it must be asked for and approved anew."),
	},
}

// withdrawal is a revocation of what isn't approved yet, by who asked for it.
var withdrawal = action{
	Name: exchange.Revoke, Title: lang.T("신청 취소", "Withdraw the request"), Note: true, Tone: "danger",
	Then: lang.T("신청이 끝납니다. 필요하면 새로 신청하실 수 있습니다.", "The request ends. You may ask again."),
}

func (c *Console) agreement(r *http.Request) (templ.Component, error) {
	v, err := c.openAgreement(r)
	if err != nil {
		return nil, err
	}
	v.Done = doneText(v, identity.From(r.Context()), r.URL.Query().Get("done"))
	return agreementPage(v), nil
}

// openAgreement finds the agreement that an address names, in the version that waits, or with ?version=active in the one that holds.
func (c *Console) openAgreement(r *http.Request) (agreementView, error) {
	who := identity.From(r.Context())
	if err := who.Need(identity.SeeAgreements, identity.Place{}); err != nil {
		return agreementView{}, err
	}
	s, events, err := c.exchange.Agreement(r.Context(), r.PathValue("project"), r.PathValue("name"))
	if err != nil {
		return agreementView{}, err
	}
	v := agreementView{Snapshot: c.catalog.Snapshot(), Today: c.exchange.Today(), Standing: s, Events: events, Shown: s.Shown()}
	if s.Holds != nil && s.Waits != nil {
		v.Other = s.Holds
		if r.URL.Query().Get("version") == "active" {
			v.Shown, v.Other = s.Holds, s.Waits
		}
	}
	project, name, _ := strings.Cut(v.Shown.Dataset, "/")
	v.Dataset = v.Snapshot.Dataset(project, name)
	if v.Shown.State == exchange.Requested {
		if v.Shown.Steward == "" {
			v.Waiting = append(v.Waiting, lang.T("데이터 관리자", "the steward"))
		}
		if v.Shown.Personal && v.Shown.Privacy == "" {
			v.Waiting = append(v.Waiting, lang.T("개인정보 보호책임자", "the privacy officer"))
		}
	}
	if v.Feed, err = c.exchange.Feed(r.Context(), v.Shown.Project, v.Shown.Name); err != nil {
		return agreementView{}, err
	}
	can := c.exchange.Actions(who, v.Shown)
	v.Renew = slices.Contains(can, exchange.Renew) && s.Waits == nil
	for _, name := range can {
		a, ok := actionTexts[name]
		a.Name = name
		if name == exchange.Approve {
			a.Then = v.approval(who)
		}
		if name == exchange.Revoke && v.Shown.State == exchange.Requested {
			// What holds would be revoked, not this; and who may refuse a request needn't withdraw it.
			ok, a = s.Holds == nil && !slices.Contains(can, exchange.Refuse), withdrawal
		}
		if ok {
			v.Actions = append(v.Actions, a)
		}
	}
	return v, nil
}

// approval is what comes of an approval by who.
func (v agreementView) approval(who *identity.Principal) lang.Text {
	if len(v.Waiting) > 1 {
		other := v.Waiting[0]
		if who.May(identity.ApproveSteward, v.Snapshot.Place(v.Shown.Provider())) {
			other = v.Waiting[1]
		}
		return lang.F("이어서 %[1]s의 승인을 기다립니다.", "Then it waits for %[1]s.", other)
	}
	if v.Standing.Holds != nil {
		return lang.F("바로 이용이 시작되고, 지금의 %v판을 대신합니다.", "It begins at once, in place of version %v.", v.Standing.Holds.Version)
	}
	return lang.T("바로 이용이 시작됩니다.", "It begins at once.")
}

// maxForm is how large a posted form may be, in bytes.
const maxForm = 64 << 10

// decision is what a person sends from an agreement's page.
type decision struct {
	Action, Note string
	Until        manifest.Day // of a renewal
	Version      string       // that was shown
}

// Problems of a decision after which its page is shown again, with what was typed.
var mendable = []string{"agreement.note", "agreement.until", "agreement.state", "agreement.approver", "agreement.changed"}

func (c *Console) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	d := decision{Action: r.PostFormValue("action"), Note: r.PostFormValue("note"), Until: manifest.Day(r.PostFormValue("until")), Version: r.PostFormValue("version")}
	v, err := c.openAgreement(r)
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	project, name := v.Shown.Project, v.Shown.Name
	if err = v.still(d); err == nil {
		_, err = c.exchange.Act(r.Context(), identity.From(r.Context()), project, name, d.Action, strings.ReplaceAll(d.Note, "\r\n", "\n"), d.Until)
	}
	if err == nil {
		http.Redirect(w, r, agreementPath(project, name)+"?done="+url.QueryEscape(d.Action), http.StatusSeeOther)
		return
	}
	p := problem.As(err)
	if p == nil || !slices.Contains(mendable, p.Code) {
		components.Fail(w, r, err)
		return
	}
	v.Problem, v.Typed = p, d
	components.Render(w, r, p.Status, agreementPage(v))
}

// still is nil where what a person decided on is what stands: nobody approves what they haven't seen.
func (v agreementView) still(d decision) error {
	on := v.Standing.Holds
	if on == nil || d.Action == exchange.Approve || d.Action == exchange.Refuse {
		on = v.Standing.Waits
	}
	if d.Version == "" || on == nil || strconv.FormatInt(on.Version, 10) == d.Version {
		return nil
	}
	return problem.New("agreement.changed", http.StatusConflict, lang.F("보시는 동안 협약이 바뀌었습니다. 지금은 %v판입니다. 내용을 다시 확인해 주십시오.", "The agreement changed while you looked at it: it is version %v now. Please look again.", on.Version))
}

// doneTexts say what one has just done.
var doneTexts = map[string]struct {
	what string // the event that it left
	text lang.Text
}{
	exchange.Refuse:  {"refused", lang.T("신청을 거부하셨습니다.", "You have refused the request.")},
	exchange.Suspend: {"suspended", lang.T("이용을 정지하셨습니다.", "You have suspended it.")},
	exchange.Resume:  {"resumed", lang.T("다시 허용하셨습니다.", "You have let it go on.")},
	exchange.Revoke:  {"revoked", lang.T("철회하셨습니다.", "You have revoked it.")},
	exchange.Renew:   {"renewal", lang.T("신청하셨습니다. 승인되면 바뀝니다.", "You have asked for it. It changes once it is approved.")},
}

// doneText says what who has just done, if the agreement's history says so too: an address is easily made up.
func doneText(v agreementView, who *identity.Principal, done string) lang.Text {
	if len(v.Events) == 0 || v.Events[0].Actor != who.Actor() {
		return lang.Text{}
	}
	last := v.Events[0].What
	if done == exchange.Approve && last == "active" {
		return lang.T("승인하셨습니다. 이용이 시작되었습니다.", "You have approved it. It is in force.")
	}
	if done == exchange.Approve && strings.HasPrefix(last, "approved-") {
		return lang.T("승인하셨습니다.", "You have approved it.")
	}
	if x, ok := doneTexts[done]; ok && x.what == last {
		return x.text
	}
	return lang.Text{}
}

var stateBadges = map[exchange.State]string{
	exchange.Requested: "information", exchange.Active: "success", exchange.Suspended: "warning", exchange.Revoked: "gray",
	exchange.Refused: "danger", exchange.Replaced: "gray", exchange.Expired: "warning",
}

func stateBadge(s exchange.State) components.BadgeText {
	return components.BadgeText{Text: exchange.StateTitle(s), Tone: stateBadges[s]}
}

// eventTexts are what happened to an agreement, in words.
var eventTexts = map[string]lang.Text{
	"requested": lang.T("신청", "requested"), "renewal": lang.T("다시 신청", "asked for again"), "approved-steward": lang.T("데이터 관리자 승인", "approved by the steward"),
	"approved-privacy": lang.T("개인정보 보호책임자 승인", "approved by the privacy officer"), "active": lang.T("이용 시작", "in force"), "refused": lang.T("거부", "refused"),
	"suspended": lang.T("정지", "suspended"), "resumed": lang.T("다시 허용", "resumed"), "revoked": lang.T("철회", "revoked"), "removed": lang.T("선언문에서 삭제되어 철회", "revoked: removed from the manifests"),
}

// stops are the events that end or interrupt an agreement, by the state that they lead to.
var stops = map[exchange.State][]string{exchange.Refused: {"refused"}, exchange.Suspended: {"suspended"}, exchange.Revoked: {"revoked", "removed"}}

// stopped is the event by which the shown version came to a stop; nil where it hasn't.
func (v agreementView) stopped() *exchange.Event {
	for i := range v.Events {
		if e := &v.Events[i]; e.Version == v.Shown.Version && slices.Contains(stops[v.Shown.State], e.What) {
			return e
		}
	}
	return nil
}

// ownerOf is the agency that owns a project.
func ownerOf(s *catalog.Snapshot, project string) lang.Text {
	if owners := s.Place(project).Owners; len(owners) > 0 {
		return s.Title(manifest.Key{Kind: "Agency", Name: owners[0]})
	}
	return lang.Text{}
}

// shownFields are the names of an agreement's fields, with how much of each is shown.
func shownFields(s *catalog.Snapshot, v *exchange.Version) lang.Text {
	r := exchange.Receipt{Public: exchange.Public{Dataset: v.Dataset, Fields: v.Spec.Fields, Masks: v.Spec.Masks}}
	return r.What(s)
}

func projectLink(s *catalog.Snapshot, name string) components.Link {
	return linkTo(s, manifest.Key{Kind: "Project", Name: name})
}

func datasetLink(s *catalog.Snapshot, path string) components.Link {
	project, name, _ := strings.Cut(path, "/")
	return linkTo(s, manifest.Key{Kind: "Dataset", Project: project, Name: name})
}

// maskText says how much of a field is shown.
func maskText(v agreementView, name string) lang.Text {
	if m, ok := mask.Named(v.Shown.Spec.Masks[name]); ok {
		return m.About
	}
	if v.Dataset != nil {
		if f := v.Dataset.Field(name); f != nil && f.Cites != nil && f.Cites.Identifies != "" {
			return lang.T("이용하는 사업의 식별자로 바꿈", "as an identifier of the consumer's own")
		}
	}
	return lang.T("그대로", "as it is")
}
