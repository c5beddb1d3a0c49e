package portal

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Exchange is what the portal needs of the exchange.
type Exchange interface {
	Receipts(ctx context.Context, who *identity.Principal, before int64, limit int) ([]exchange.Receipt, error)
	Prove(ctx context.Context, who *identity.Principal, id int64) (exchange.Receipt, exchange.Proof, error)
	Consents(ctx context.Context, who *identity.Principal) ([]exchange.Consent, error)
	Readers(ctx context.Context, dataset string) ([]*exchange.Version, error)
	About(ctx context.Context, who *identity.Principal, project, name string, fields []string) ([]*registry.Record, int64, error)
	Askable(ctx context.Context) ([]*exchange.Version, error)
	Consent(ctx context.Context, who *identity.Principal, agreement string, yes bool) error
}

// Addresses of a citizen's own pages.
const (
	minePath     = "/my"
	consentsPath = minePath + "/consents"
)

// How many receipts are looked at.
const (
	receiptsPage  = 20     // on one page
	receiptsBatch = 500    // at once
	receiptsMost  = 20_000 // for one page, while looking for those of one office
	officesFrom   = 1_000  // the newest, for the list of offices
)

func (p *Portal) mineRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+minePath, components.Page(p.mine))
	mux.Handle("GET "+minePath+"/receipts/{id}", components.Page(p.receipt))
	mux.Handle("GET "+consentsPath, components.Page(p.consents))
	mux.HandleFunc("POST "+consentsPath, p.consent)
	p.openKeyRoutes(mux)
}

type mineView struct {
	Snapshot *catalog.Snapshot
	List     []exchange.Receipt
	Older    string
	First    bool
	Offices  []components.Choice // who read, lately
	Office   string              // whose receipts are listed; "": everyone's
	OpenKeys bool                // there are keys of the open API
}

// mine is what was read about the citizen.
func (p *Portal) mine(r *http.Request) (templ.Component, error) {
	if err := needCitizen(r); err != nil {
		return nil, err
	}
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 36, 64)
	if err != nil {
		before = 0
	}
	v := mineView{Snapshot: p.Catalog.Snapshot(), First: before == 0, Office: r.URL.Query().Get("office"), OpenKeys: p.openKeys() != nil}
	if v.Offices, err = p.offices(r.Context()); err != nil {
		return nil, err
	}
	list, err := p.receiptsOf(r.Context(), before, v.Office)
	if err != nil {
		return nil, err
	}
	v.List = list[:min(receiptsPage, len(list))]
	if len(list) > receiptsPage {
		v.Older = strconv.FormatInt(list[receiptsPage-1].ID, 36)
	}
	return minePage(v), nil
}

// officeOf is who read, as the list of offices names it: the agency, or the project of one that has none.
func officeOf(r *exchange.Receipt) string {
	if r.Agency != "" {
		return r.Agency
	}
	return r.Consumer
}

// offices lists who read about the citizen lately, by name.
func (p *Portal) offices(ctx context.Context) (out []components.Choice, err error) {
	list, err := p.Exchange.Receipts(ctx, identity.From(ctx), 0, officesFrom)
	s := p.Catalog.Snapshot()
	for i := range list {
		name := officeOf(&list[i])
		if slices.ContainsFunc(out, func(c components.Choice) bool { return c.Value == name }) {
			continue
		}
		title := s.Title(manifest.Key{Kind: "Agency", Name: name})
		if list[i].Agency == "" {
			title = s.Title(manifest.Key{Kind: "Project", Name: name})
		}
		out = append(out, components.Choice{Value: name, Title: title})
	}
	slices.SortFunc(out, func(a, b components.Choice) int { return cmp.Compare(a.Title.Ko, b.Title.Ko) })
	return out, err
}

// receiptsOf is a page of receipts and one more, if there is one: of one office, or of all.
func (p *Portal) receiptsOf(ctx context.Context, before int64, office string) (out []exchange.Receipt, err error) {
	if office == "" {
		return p.Exchange.Receipts(ctx, identity.From(ctx), before, receiptsPage+1)
	}
	for range receiptsMost / receiptsBatch {
		list, err := p.Exchange.Receipts(ctx, identity.From(ctx), before, receiptsBatch)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if officeOf(&list[i]) == office {
				out = append(out, list[i])
			}
		}
		if len(list) < receiptsBatch || len(out) > receiptsPage {
			break
		}
		before = list[len(list)-1].ID
	}
	return out, nil
}

type receiptView struct {
	Snapshot *catalog.Snapshot
	Receipt  exchange.Receipt
	Proof    string
}

func (p *Portal) receipt(r *http.Request) (templ.Component, error) {
	if err := needCitizen(r); err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, components.NotFound(lang.T("해당하는 열람 기록이 없습니다", "There is no such receipt"))
	}
	receipt, proof, err := p.Exchange.Prove(r.Context(), identity.From(r.Context()), id)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(proof.Proof.Entry, "", "  ")
	if err != nil {
		return nil, err
	}
	return receiptPage(receiptView{p.Catalog.Snapshot(), receipt, string(text)}), nil
}

type consentsView struct {
	Snapshot *catalog.Snapshot
	Asked    []askedConsent
	Resting  []exchange.Consent // given, to agreements by which nobody reads at present
	Former   []exchange.Consent
	Done     lang.Text // what the citizen has just done
}

// askedConsent is an agreement that asks, and whether the citizen said yes.
type askedConsent struct {
	Version *exchange.Version
	Given   *exchange.Consent
}

func (p *Portal) consents(r *http.Request) (templ.Component, error) {
	if err := needCitizen(r); err != nil {
		return nil, err
	}
	given, err := p.Exchange.Consents(r.Context(), identity.From(r.Context()))
	if err != nil {
		return nil, err
	}
	asked, err := p.Exchange.Askable(r.Context())
	if err != nil {
		return nil, err
	}
	v := consentsView{Snapshot: p.Catalog.Snapshot()}
	for _, a := range asked {
		one := askedConsent{Version: a}
		for i := range given {
			if given[i].Agreement == a.Path() && given[i].Withdrawn.IsZero() {
				one.Given = &given[i]
			}
		}
		v.Asked = append(v.Asked, one)
	}
	for _, c := range given {
		switch {
		case !c.Withdrawn.IsZero():
			v.Former = append(v.Former, c)
		case !slices.ContainsFunc(asked, func(a *exchange.Version) bool { return a.Path() == c.Agreement }):
			v.Resting = append(v.Resting, c)
		}
	}
	v.Done = doneText(given, r.URL.Query().Get("done"))
	return consentsPage(v), nil
}

func (p *Portal) consent(w http.ResponseWriter, r *http.Request) {
	err := needCitizen(r)
	if err == nil {
		err = p.Exchange.Consent(r.Context(), identity.From(r.Context()), posted(w, r, "agreement"), posted(w, r, "answer") == "yes")
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, consentsPath+"?done="+url.QueryEscape(posted(w, r, "agreement")), http.StatusSeeOther)
}

// doneText says what a citizen has just done with their consent to an agreement: how it stands, whoever made the address up.
func doneText(given []exchange.Consent, agreement string) lang.Text {
	for _, c := range given { // the newest first
		if c.Agreement == agreement {
			if c.Withdrawn.IsZero() {
				return lang.T("동의하셨습니다.", "You have consented.")
			}
			return lang.T("동의를 철회하셨습니다. 이제 열람하지 않습니다.", "You have taken your consent back. Nobody reads by it any more.")
		}
	}
	return lang.Text{}
}

// consentTo is what a consent was given to: the agreement's own name, with who reads by it.
func consentTo(s *catalog.Snapshot, agreement string) lang.Text {
	project, name, _ := strings.Cut(agreement, "/")
	return lang.F("%[1]s: %[2]s", "%[1]s: %[2]s", officeText(s, project), s.Title(manifest.Key{Kind: "Agreement", Project: project, Name: name}))
}

// officeText is a project with the agency that owns it.
func officeText(s *catalog.Snapshot, project string) lang.Text {
	title := s.Title(manifest.Key{Kind: "Project", Name: project})
	if owners := s.Place(project).Owners; len(owners) > 0 {
		return lang.F("%[1]s(%[2]s)", "%[1]s (%[2]s)", s.Title(manifest.Key{Kind: "Agency", Name: owners[0]}), title)
	}
	return title
}

// fieldsOf are the names of the fields that an agreement lets be read.
func fieldsOf(s *catalog.Snapshot, v *exchange.Version) lang.Text {
	r := exchange.Receipt{Public: exchange.Public{Dataset: v.Dataset, Fields: v.Spec.Fields, Masks: v.Spec.Masks}}
	return r.What(s)
}

// whyOf is what was read for, in words.
func whyOf(r *exchange.Receipt) lang.Text {
	why := r.Why()
	if why == lang.T(r.Purpose, r.Purpose) {
		return components.Purpose(r.Purpose)
	}
	return why
}

func datasetOf(s *catalog.Snapshot, path string) lang.Text {
	for _, d := range s.Datasets() {
		if d.Path() == path {
			return d.Spec.Title
		}
	}
	return lang.T(path, path)
}
