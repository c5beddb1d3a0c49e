package service

import (
	"fmt"
	"iter"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// Sample is made-up people on whom clauses are tried when a plan is made, so that nobody's data is looked at for it.
type Sample struct {
	asOf   manifest.Day
	tables map[string]bool
	people map[any]map[string][]map[string]any // by person and dataset
	order  []any
}

// Records are a dataset of a sample: one of its columns says which person a record is about.
type Records struct {
	Dataset string // project/name
	Columns []string
	Person  string
	Rows    iter.Seq[[]any]
}

// NewSample makes a sample of people as they are on a day. The first records say who there is.
func NewSample(asOf manifest.Day, all ...Records) *Sample {
	s := &Sample{asOf: asOf, tables: map[string]bool{}, people: map[any]map[string][]map[string]any{}}
	for i, r := range all {
		s.tables[r.Dataset] = true
		for row := range r.Rows {
			record := make(map[string]any, len(row))
			for j, name := range r.Columns {
				record[name] = row[j]
			}
			who := record[r.Person]
			if i == 0 && s.people[who] == nil {
				s.people[who] = map[string][]map[string]any{}
				s.order = append(s.order, who)
			}
			if of := s.people[who]; of != nil {
				of[r.Dataset] = append(of[r.Dataset], record)
			}
		}
	}
	return s
}

// enough is how many people of the sample a clause must be about before something is said of it.
const enough = 30

// try looks at each clause with the people of the sample and warns of those that nobody meets, that everybody meets, and that can't be worked out for somebody. Facts that only the person can tell are unknown: where a clause depends on them, nothing is said.
func (c *compiler) try(s *Service, sample *Sample) {
	datasets := map[string]string{} // of the facts that the sample has
	for i := range s.Facts {
		f := &s.Facts[i]
		if f.Asked() {
			continue
		}
		a, ok := c.snapshot.Get(f.Agreement).Spec.(*manifest.Agreement)
		if !ok {
			continue
		}
		if to := a.Provider(f.Agreement.Project); sample.tables[to.Project+"/"+to.Name] {
			datasets[f.Name] = to.Project + "/" + to.Name
		}
	}
	for i := range s.Clauses {
		c.tryClause(s, i, sample, datasets)
	}
}

func (c *compiler) tryClause(s *Service, i int, sample *Sample, datasets map[string]string) {
	clause, at := &s.Clauses[i], fmt.Sprintf("eligible.%d.when", i)
	var all, yes, failed, unknown int
	var last, wrong map[string]any
	var why error
	for _, who := range sample.order {
		known := known(s, clause, sample.people[who], datasets)
		if known == nil {
			continue
		}
		all++
		switch answer, _, err := clause.rule.Judge(known, sample.asOf); {
		case err != nil && failed == 0:
			failed, wrong, why = 1, known, err
		case err != nil:
			failed++
		case answer == rule.Unknown:
			unknown++
		case answer == rule.Yes:
			yes++
		}
		last = known
	}
	example := func(of map[string]any) lang.Text {
		return lang.T("예: "+facts(s, clause, of, lang.Ko)+" → "+say(clause.ko, lang.Ko, of, sample.asOf), "for example: "+facts(s, clause, of, lang.En)+" → "+say(clause.en, lang.En, of, sample.asOf))
	}
	switch {
	case failed > 0:
		message := lang.F("가상 인구 %[2]d명 가운데 %[1]d명에게는 이 요건을 계산할 수 없습니다", "for %[1]d of %[2]d made-up people this clause can't be worked out", failed, all)
		if p := problem.As(why); p != nil {
			message = lang.T(message.Ko+" ("+p.Detail.Ko+")", message.En+" ("+p.Detail.En+")")
		}
		c.warn("service.clause_fails", at, message, example(wrong))
	case all < enough || unknown > 0:
	case yes == 0:
		c.warn("service.never", at, lang.F("가상 인구 %d명 가운데 이 요건에 맞는 사람이 없습니다", "of %d made-up people nobody meets this clause", all), example(last))
	case yes == all:
		c.warn("service.always", at, lang.F("가상 인구 %d명이 모두 이 요건에 맞습니다", "all %d made-up people meet this clause", all), example(last))
	}
}

func (c *compiler) warn(code, at string, message, hint lang.Text) {
	c.findings = append(c.findings, c.resource.Finding(manifest.Warning, code, at, message, hint))
}

// known is what a clause reads of a person, or nil where the sample has none of it, or not all of what it has of others.
func known(s *Service, clause *Clause, person map[string][]map[string]any, datasets map[string]string) map[string]any {
	var out map[string]any
	for _, name := range clause.rule.Fields() {
		dataset := datasets[name]
		if dataset == "" {
			continue
		}
		v, there := sampled(s.Fact(name), person[dataset])
		if !there {
			return nil
		}
		if out == nil {
			out = map[string]any{}
		}
		out[name] = v
	}
	return out
}

// sampled is a fact by the records of a person.
func sampled(f *Fact, records []map[string]any) (any, bool) {
	if !f.IsList() {
		if len(records) == 0 {
			return nil, false
		}
		v, there := records[0][f.Source]
		return v, there
	}
	out := make([]map[string]any, len(records))
	for i, r := range records {
		out[i] = map[string]any{}
		for j := range f.Items {
			out[i][f.Items[j].Name] = r[f.Items[j].Source]
		}
	}
	return out, len(out) <= rule.MaxItems
}

// facts lists what a clause reads of somebody, for an example.
func facts(s *Service, clause *Clause, of map[string]any, tag lang.Tag) string {
	var out []string
	for _, name := range clause.rule.Fields() {
		v, there := of[name]
		if !there {
			continue
		}
		if v == nil {
			v = lang.T("없음", "none").In(tag)
		}
		out = append(out, fmt.Sprintf("%s %v", s.Fact(name).Label().In(tag), v))
	}
	return strings.Join(out, ", ")
}

// trial is whether a service is to be tried on a sample: where there is one, and the service is fine otherwise.
func trial(s *catalog.Snapshot, r *manifest.Resource, sample func() *Sample) []manifest.Finding {
	one, findings := Compile(s, r)
	if len(findings) > 0 || sample == nil {
		return findings
	}
	c := &compiler{snapshot: s, resource: r}
	c.try(one, sample())
	return c.findings
}
