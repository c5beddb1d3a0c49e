package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

// soonDays is how long before its last day an agreement is said to end soon.
const soonDays = 30

// agreementRow is an agreement in a list.
type agreementRow struct {
	exchange.Standing
	Version *exchange.Version // the one that is shown
	State   exchange.State
	Left    int  // days until its last day
	Soon    bool // it holds, and ends within soonDays
}

type agreementsView struct {
	URL      *url.URL
	Snapshot *catalog.Snapshot
	Approves bool           // who asks approves agreements
	Mine     []agreementRow // to be approved by who asks
	Soon     []agreementRow // what ends soon, the soonest first
	Flows    []flow
	Page     []agreementRow
	Slice    components.Slice
	Empty    bool
}

// flow is what one project reads of another.
type flow struct {
	From, To string // projects
	Rows     []agreementRow
}

func (c *Console) agreements(r *http.Request) (templ.Component, error) {
	who, q, asked := identity.From(r.Context()), r.URL.Query(), components.Asked(r.URL)
	if err := who.Need(identity.SeeAgreements, identity.Place{}); err != nil {
		return nil, err
	}
	rows, err := c.agreementRows(r.Context())
	if err != nil {
		return nil, err
	}
	v := agreementsView{URL: r.URL, Snapshot: c.catalog.Snapshot(), Approves: who.Has(identity.Steward) || who.Has(identity.Privacy), Empty: len(rows) == 0, Flows: flowsOf(rows)}
	for _, row := range rows {
		if row.Waits != nil && c.exchange.Mine(who, row.Waits) {
			mine := row
			mine.Version, mine.State = row.Waits, exchange.Requested
			v.Mine = append(v.Mine, mine)
		}
		if row.Soon {
			v.Soon = append(v.Soon, row)
		}
	}
	slices.SortStableFunc(v.Soon, func(a, b agreementRow) int { return cmp.Compare(a.Left, b.Left) })
	found := filter(rows, func(row agreementRow) bool { return row.is(q.Get("state")) }, func(row agreementRow) bool { return row.matches(v.Snapshot, asked) })
	v.Page, v.Slice = cut(found, func(row agreementRow) string { return row.Version.Path() }, q, pageSize)
	return agreementsPage(v), nil
}

// agreementRows lists all agreements.
func (c *Console) agreementRows(ctx context.Context) (out []agreementRow, err error) {
	all, err := c.exchange.Agreements(ctx)
	for _, s := range all {
		out = append(out, rowOf(s, c.exchange.Today()))
	}
	return out, err
}

func rowOf(s exchange.Standing, today manifest.Day) agreementRow {
	v := s.Holds
	if v == nil {
		v = s.Shown()
	}
	row := agreementRow{Standing: s, Version: v, State: v.Stands(today)}
	end, err := v.Until.Time()
	if err != nil {
		return row
	}
	if now, err := today.Time(); err == nil {
		row.Left = int(end.Sub(now).Hours() / 24)
		row.Soon = row.State == exchange.Active && row.Left < soonDays
	}
	return row
}

// Conditions on a list of agreements beside their states.
const (
	endsSoon = "soon"
	over     = "over" // it is read by no more, or never was
)

// is reports whether an agreement is in a state, or fulfils one of the conditions; all do where none is asked for.
func (row agreementRow) is(state string) bool {
	switch state {
	case "":
		return true
	case endsSoon:
		return row.Soon
	case over:
		return row.Holds == nil && row.Waits == nil || row.State == exchange.Expired
	case string(exchange.Requested):
		return row.Waits != nil
	}
	return string(row.State) == state
}

// matches reports whether an agreement, its projects or its data are called by a query's words, whatever their spacing.
func (row agreementRow) matches(s *catalog.Snapshot, query string) bool {
	want := catalog.Fold(query)
	v := row.Version
	texts := []lang.Text{agreementTitle(s, v), components.WhatFor(v.Spec), projectLink(s, v.Project).Title, projectLink(s, v.Provider()).Title, datasetLink(s, v.Dataset).Title, ownerOf(s, v.Project), ownerOf(s, v.Provider()), lang.T(v.Path(), v.Dataset)}
	return want == "" || slices.ContainsFunc(texts, func(x lang.Text) bool {
		return strings.Contains(catalog.Fold(x.Ko), want) || strings.Contains(catalog.Fold(x.En), want)
	})
}

// flowsOf says who reads what from whom now, by provider.
func flowsOf(rows []agreementRow) (out []flow) {
	at := map[[2]string]int{}
	for _, row := range rows {
		if row.Holds == nil || row.State == exchange.Expired {
			continue
		}
		key := [2]string{row.Holds.Provider(), row.Holds.Project}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, flow{From: key[0], To: key[1]})
		}
		out[i].Rows = append(out[i].Rows, row)
	}
	slices.SortStableFunc(out, func(a, b flow) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return out
}

// readersOf lists the agreements by which a dataset is read, or is to be.
func (c *Console) readersOf(ctx context.Context, d *catalog.Dataset) ([]agreementRow, error) {
	rows, err := c.agreementRows(ctx)
	return filter(rows, func(row agreementRow) bool { return row.Version.Dataset == d.Path() }), err
}
