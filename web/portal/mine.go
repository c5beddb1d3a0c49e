package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

// Exchange is what the portal needs of the exchange.
type Exchange interface {
	Receipts(ctx context.Context, who *identity.Principal, before int64, limit int) ([]exchange.Receipt, error)
	Prove(ctx context.Context, who *identity.Principal, id int64) (exchange.Receipt, exchange.Proof, error)
	Consents(ctx context.Context, who *identity.Principal) ([]exchange.Consent, error)
	Askable(ctx context.Context) ([]*exchange.Version, error)
	Consent(ctx context.Context, who *identity.Principal, agreement string, yes bool) error
}

// Addresses of a citizen's own pages.
const (
	minePath     = "/my"
	consentsPath = minePath + "/consents"
)

// receiptsPage is how many receipts a page has.
const receiptsPage = 20

func (p *Portal) mineRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+minePath, components.Page(p.mine))
	mux.Handle("GET "+minePath+"/receipts/{id}", components.Page(p.receipt))
	mux.Handle("GET "+consentsPath, components.Page(p.consents))
	mux.HandleFunc("POST "+consentsPath, p.consent)
}

type mineView struct {
	Snapshot *catalog.Snapshot
	List     []exchange.Receipt
	Older    string
	First    bool
	Offices  []components.Choice
	Office   string
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
	list, err := p.Exchange.Receipts(r.Context(), identity.From(r.Context()), before, receiptsPage+1)
	if err != nil {
		return nil, err
	}
	v := mineView{Snapshot: p.Catalog.Snapshot(), List: list[:min(receiptsPage, len(list))], First: before == 0}
	if len(list) > receiptsPage {
		v.Older = strconv.FormatInt(list[receiptsPage-1].ID, 36)
	}
	return minePage(v), nil
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
		return nil, components.NotFound(lang.T("그런 열람 기록이 없습니다", "There is no such receipt"))
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
	Former   []exchange.Consent
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
		if !c.Withdrawn.IsZero() {
			v.Former = append(v.Former, c)
		}
	}
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
	http.Redirect(w, r, consentsPath, http.StatusSeeOther)
}

// consumerOf is the project that an agreement lets read.
func consumerOf(s *catalog.Snapshot, v *exchange.Version) lang.Text {
	return s.Title(manifest.Key{Kind: "Project", Name: v.Project})
}

// fieldsOf are the names of the fields that an agreement lets be read.
func fieldsOf(s *catalog.Snapshot, v *exchange.Version) lang.Text {
	r := exchange.Receipt{Public: exchange.Public{Dataset: v.Dataset, Fields: v.Spec.Fields, Masks: v.Spec.Masks}}
	return r.What(s)
}

// whyOf is what an agreement is for.
func whyOf(v *exchange.Version) lang.Text {
	if !v.Spec.About.Empty() {
		return v.Spec.About
	}
	return lang.T(v.Spec.Purpose, v.Spec.Purpose)
}

func datasetOf(s *catalog.Snapshot, path string) lang.Text {
	for _, d := range s.Datasets() {
		if d.Path() == path {
			return d.Spec.Title
		}
	}
	return lang.T(path, path)
}
