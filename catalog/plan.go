package catalog

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// What a change does.
const (
	addOp    = "add"
	changeOp = "change"
	removeOp = "remove"
)

// Request is what a plan is made of: either Files or Rollback.
type Request struct {
	Files     map[string]string // path → text
	Rollback  *int64            // the revision to go back to
	Base      *int64            // if set, the plan is refused unless this is the present revision
	AllowLoss bool              // rows and columns may be dropped, after they are written to a file
	Who       *identity.Principal
}

// Plan is what a folder would change.
type Plan struct {
	ID       string             `json:"id"`
	Base     int64              `json:"base" doc:"The revision it was made for"`
	Changes  []Change           `json:"changes"`
	Findings []manifest.Finding `json:"findings"`

	work work
}

// Change is one resource that a plan adds, changes or removes.
type Change struct {
	Op          string                `json:"op" enum:"add,change,remove"`
	Key         manifest.Key          `json:"-"`
	Kind        string                `json:"kind"`
	Project     string                `json:"project,omitempty"`
	Name        string                `json:"name"`
	Title       manifest.Text         `json:"title"`
	Differences []manifest.Difference `json:"differences,omitempty"`
	Steps       []Step                `json:"steps,omitempty"`
}

// work is what applying a plan needs, as it is stored with it.
type work struct {
	Put       []document     `json:"put"`
	Remove    []manifest.Key `json:"remove"`
	AllowLoss bool           `json:"allow_loss"`
	Rollback  bool           `json:"rollback"`
	Refused   bool           `json:"refused"` // it has an error finding
}

type document struct {
	Key    manifest.Key      `json:"key"`
	Home   string            `json:"home"`
	File   string            `json:"file"`
	Text   string            `json:"text"`
	Tables map[string]string `json:"tables,omitempty"`
}

// planLife is how long a plan can be applied.
const planLife = 7 * 24 * time.Hour

// Plan compares the request with the catalog. Bad manifests are findings of the plan, not errors.
func (c *Catalog) Plan(ctx context.Context, q Request) (*Plan, error) {
	select { // what a folder becomes takes time and memory
	case c.planning <- struct{}{}:
		defer func() { <-c.planning }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := c.Refresh(ctx); err != nil {
		return nil, err
	}
	before := c.Snapshot()
	if q.Base != nil && *q.Base != before.Revision {
		return nil, moved(*q.Base, before.Revision)
	}
	plan := &Plan{ID: rand.Text(), Base: before.Revision, Changes: []Change{}, Findings: []manifest.Finding{}}
	put, removed, err := c.wanted(ctx, q, before, plan)
	if err != nil {
		return nil, err
	}
	after := before.derive(before.Revision+1, c.now(), put, removed)
	plan.Findings = append(plan.Findings, after.together(before, put, removed)...)
	for _, r := range put {
		plan.Changes = append(plan.Changes, changeOf(before.Get(r.Key), r))
		plan.work.Put = append(plan.work.Put, document{r.Key, r.Home, r.File, r.Text, r.Tables})
	}
	for _, key := range removed {
		plan.Changes = append(plan.Changes, Change{Op: removeOp, Key: key, Kind: key.Kind, Project: key.Project, Name: key.Name, Title: before.Get(key).Spec.Titled()})
	}
	plan.work.Remove, plan.work.AllowLoss, plan.work.Rollback = removed, q.AllowLoss, q.Rollback != nil
	plan.sort()
	if p := problem.As(allowed(q.Who, before, after, plan.work)); p != nil && len(put) > 0 {
		plan.Findings = append(plan.Findings, put[0].Finding(manifest.Note, "plan.others", "", lang.F("계획을 보실 수는 있지만 적용하실 수는 없습니다: %s", "you may plan it, but not apply it: %s", p.Detail), p.Hint))
	}
	if !manifest.HasErrors(plan.Findings) {
		err := c.db.Read(ctx, func(tx *db.Tx) error {
			for _, f := range c.followers {
				steps, findings, err := f.Plan(ctx, tx, before, after, q.Who, q.AllowLoss)
				if err != nil {
					return err
				}
				plan.add(steps)
				plan.Findings = append(plan.Findings, findings...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	plan.work.Refused = manifest.HasErrors(plan.Findings)
	manifest.SortFindings(plan.Findings)
	return plan, c.save(ctx, plan, q.Who.Actor())
}

// wanted says which resources the request would put and remove.
func (c *Catalog) wanted(ctx context.Context, q Request, before *Snapshot, plan *Plan) (put []*manifest.Resource, removed []manifest.Key, err error) {
	if q.Rollback != nil {
		return c.back(ctx, *q.Rollback, before)
	}
	set, findings := manifest.Parse(q.Files, before.known())
	plan.Findings = append(plan.Findings, findings...)
	there := map[manifest.Key]bool{}
	for _, r := range set.Resources {
		there[r.Key] = true
		old := before.Get(r.Key)
		if old != nil && old.Home != r.Home && r.Home != "" && old.Home != "" {
			plan.Findings = append(plan.Findings, r.Finding(manifest.Error, "catalog.home", "name",
				manifest.Textf("다른 사업에서 관리합니다: %s (사업 %s)", "%s is kept by the project %s", r.Key, old.Home),
				manifest.T("그 사업의 폴더에서 고치거나 다른 이름을 쓰십시오", "change it in that project's folder, or use another name")))
		}
		if old == nil || old.Text != r.Text || !maps.Equal(old.Tables, r.Tables) {
			put = append(put, r)
		}
	}
	for _, project := range set.Projects {
		for _, r := range before.Home(project) {
			if !there[r.Key] {
				removed = append(removed, r.Key)
			}
		}
	}
	return put, removed, nil
}

// back says what makes the catalog what it was at revision n.
func (c *Catalog) back(ctx context.Context, n int64, before *Snapshot) (put []*manifest.Resource, removed []manifest.Key, err error) {
	if n < 0 || n >= before.Revision {
		return nil, nil, problem.New("revision.unknown", 404, lang.F("되돌아갈 수 없는 개정입니다: %v (현재 개정 %v)", "there is no way back to revision %v (now is %v)", n, before.Revision)).
			Hinting(lang.T("maru history로 개정을 확인하십시오", "maru history lists the revisions"))
	}
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		then, _, err := c.state(ctx, tx, 0, n)
		if err != nil {
			return err
		}
		there := map[manifest.Key]bool{}
		for _, r := range then {
			there[r.Key] = true
			if old := before.Get(r.Key); old == nil || old.Text != r.Text || !maps.Equal(old.Tables, r.Tables) {
				put = append(put, r)
			}
		}
		for key := range before.resources {
			if !there[key] {
				removed = append(removed, key)
			}
		}
		return nil
	})
	return put, removed, err
}

// together finds what is wrong with how the documents fit: references that lead nowhere, agencies in a ring, things that are removed while others
// use them, terms that contradict their fields.
func (s *Snapshot) together(before *Snapshot, put []*manifest.Resource, removed []manifest.Key) (findings []manifest.Finding) {
	for _, r := range put {
		for _, ref := range r.References() {
			if !s.has(ref.To) {
				findings = append(findings, s.dangling(r, ref))
			}
		}
		if r.Kind == "Agency" && s.ring(r.Name) {
			findings = append(findings, r.Finding(manifest.Error, "agency.ring", "parent", manifest.Textf("기관이 자기 자신의 상위 기관이 됩니다: %s", "agency %s is above itself", r.Name), manifest.Text{}))
		}
	}
	gone := map[manifest.Key]bool{}
	for _, key := range removed {
		gone[key] = true
	}
	for name := range before.terms { // also those of a vocabulary that no longer has them
		if s.terms[name] == nil {
			gone[manifest.Key{Kind: "Term", Name: name}] = true
		}
	}
	changed := map[manifest.Key]bool{}
	for _, r := range put {
		changed[r.Key] = true
	}
	if len(gone) > 0 {
		for _, r := range s.resources {
			for _, ref := range r.References() {
				if gone[ref.To] && !s.has(ref.To) && !changed[r.Key] {
					findings = append(findings, r.Finding(manifest.Error, "catalog.used", ref.Path, manifest.Textf("삭제할 수 없습니다: %s (쓰는 곳: %s)", "%s can't be removed: %s uses it", ref.To, r.Key),
						manifest.T("먼저 쓰는 곳을 고치십시오", "change what uses it first")))
				}
			}
		}
		for key := range gone { // a project goes with all that is at home in it
			if key.Kind == "Project" && s.resources[key] == nil {
				for _, r := range s.Home(key.Name) {
					findings = append(findings, r.Finding(manifest.Error, "catalog.used", "", manifest.Textf("사업을 삭제할 수 없습니다: %s (남아 있는 내용: %s)", "project %s can't be removed: %s is still in it", key.Name, r.Key), manifest.Text{}))
				}
			}
		}
	}
	for _, f := range s.findings {
		if old := before.Get(f.Resource); changed[f.Resource] || old == nil || f.Severity == manifest.Error {
			findings = append(findings, f)
		}
	}
	return findings
}

func (s *Snapshot) dangling(r *manifest.Resource, ref manifest.Reference) manifest.Finding {
	hint := manifest.Textf("전체 목록: maru get %s", "what there is: maru get %s", strings.ToLower(ref.To.Kind))
	if near := manifest.Nearest(ref.To.Name, s.names(ref.To.Kind)); near != "" {
		hint = manifest.Textf("비슷한 이름: %s", "did you mean %s?", near)
	}
	return r.Finding(manifest.Error, "catalog.reference", ref.Path, manifest.Textf("%s 목록에 없는 이름입니다: %q", "there is no %s %q", kindTitle(ref.To.Kind), ref.To.Name), hint)
}

func kindTitle(kind string) manifest.Text { return manifest.KindOf(kind).Title }

// ring reports whether an agency is above itself.
func (s *Snapshot) ring(name string) bool {
	at := name
	for range len(s.byKind["Agency"]) {
		r := s.resources[manifest.Key{Kind: "Agency", Name: at}]
		if r == nil {
			return false
		}
		at = r.Spec.(*manifest.Agency).Parent
		if at == name {
			return true
		}
	}
	return false
}

func changeOf(old, r *manifest.Resource) Change {
	c := Change{Op: addOp, Key: r.Key, Kind: r.Kind, Project: r.Project, Name: r.Name, Title: r.Spec.Titled()}
	if old == nil {
		return c
	}
	c.Op, c.Differences = changeOp, manifest.Compare(old.Tree(), r.Tree())
	for name, text := range r.Tables {
		if old.Tables[name] != text {
			c.Differences = append(c.Differences, manifest.Difference{Path: "file " + name, Before: lines(old.Tables[name]), After: lines(text)})
		}
	}
	return c
}

func lines(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%d lines, sha256 %.12s", strings.Count(text, "\n"), hashOf(text))
}

// sort puts changes in the order of kinds, then of project and name.
func (p *Plan) sort() {
	rank := map[string]int{}
	for i, k := range manifest.Kinds {
		rank[k.Name] = i
	}
	slices.SortStableFunc(p.Changes, func(a, b Change) int {
		return cmp.Or(rank[a.Kind]-rank[b.Kind], strings.Compare(a.Project, b.Project), strings.Compare(a.Name, b.Name))
	})
}

// add puts each step with the change of its resource. A dataset whose table changes because a term did has a change of its own.
func (p *Plan) add(steps []Step) {
	for _, s := range steps {
		i := slices.IndexFunc(p.Changes, func(c Change) bool { return c.Key == s.Of })
		if i < 0 {
			p.Changes = append(p.Changes, Change{Op: changeOp, Key: s.Of, Kind: s.Of.Kind, Project: s.Of.Project, Name: s.Of.Name})
			i = len(p.Changes) - 1
		}
		p.Changes[i].Steps = append(p.Changes[i].Steps, s)
	}
}

func (c *Catalog) save(ctx context.Context, p *Plan, author string) error {
	body, err := json.Marshal(p.work)
	if err != nil {
		return err
	}
	now := c.now()
	return c.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM plan WHERE at < ?", now.Add(-planLife).UTC().Format(time.RFC3339)); err != nil {
			return fmt.Errorf("forget old plans: %w", err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO plan (id, base, author, at, body) VALUES (?, ?, ?, ?, ?)", p.ID, p.Base, author, now.UTC().Format(time.RFC3339), string(body)); err != nil {
			return fmt.Errorf("store the plan: %w", err)
		}
		return nil
	})
}

func moved(base, now int64) *problem.Problem {
	return problem.New("catalog.moved", 409, lang.F("계획을 만든 뒤 카탈로그가 바뀌었습니다 (계획한 개정 %v, 현재 개정 %v)", "the plan was made for revision %v, and now is %v", base, now)).
		Hinting(lang.T("maru plan을 다시 실행하십시오", "plan again"))
}
