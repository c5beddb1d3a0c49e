package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange/mask"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// Plan implements catalog.Follower: what is wrong with agreements and the datasets they read, and which requests a plan files.
func (x *Exchange) Plan(ctx context.Context, tx *db.Tx, before, after *catalog.Snapshot, who *identity.Principal, _ bool) (steps []catalog.Step, findings []manifest.Finding, err error) {
	for _, r := range after.List("Agreement") {
		spec := r.Spec.(*manifest.Agreement)
		to := spec.Provider(r.Project)
		old, d, was := before.Get(r.Key), after.Dataset(to.Project, to.Name), before.Dataset(to.Project, to.Name)
		if d == nil {
			continue // a reference that leads nowhere is said already
		}
		changed := old == nil || old.Text != r.Text
		if changed || was == nil || was.Resource != d.Resource || !sameFields(was, d) {
			findings = append(findings, check(r, spec, d)...)
		}
		if !changed {
			continue
		}
		all, err := x.versions(ctx, tx, "project = ? AND name = ? ORDER BY version", r.Project, r.Name)
		if err != nil {
			return nil, nil, err
		}
		if asked(all, spec, d) {
			continue
		}
		text := lang.F("승인을 요청합니다: %s의 데이터 관리자", "request approval by the steward of %s", to.Project)
		if personal(spec, d) {
			text = lang.F("승인을 요청합니다: %s의 데이터 관리자와 개인정보 보호책임자", "request approval by the steward of %s and by the privacy officer", to.Project)
		}
		steps = append(steps, catalog.Step{Of: r.Key, Text: text})
		if spec.Events {
			told := lang.T("승인되면 열람할 수 있는 레코드가 바뀔 때마다 알립니다", "when it is approved, each change of what it lets be read is sent")
			if spec.Webhook != "" {
				if x.hooks.Secret != nil && who.May(identity.Change, after.Place(r.Project)) { // nobody else learns what lies there
					if _, err := x.hooks.Secret(r.Project, spec.Secret); err != nil {
						findings = append(findings, r.Finding(manifest.Note, "agreement.secret", "secret", lang.F("서명 키가 서버에 아직 없습니다: %s", "the key that signs isn't on the server yet: %s", spec.Secret), lang.F("서버의 자료 폴더에 secrets/%[1]s/%[2]s 파일로 두십시오. 그때까지 알림이 기다립니다", "put it into the server's folder of data as secrets/%[1]s/%[2]s; until then what is to be sent waits", r.Project, spec.Secret)))
					}
				}
				told = lang.F("승인되면 열람할 수 있는 레코드가 바뀔 때마다 이 주소로 보냅니다: %s", "when it is approved, each change of what it lets be read is posted to %s", spec.Webhook)
			}
			steps = append(steps, catalog.Step{Of: r.Key, Text: told})
		}
	}
	for _, r := range before.List("Agreement") {
		if after.Get(r.Key) == nil {
			steps = append(steps, catalog.Step{Of: r.Key, Text: lang.T("협약을 철회합니다", "revoke the agreement")})
		}
	}
	return steps, findings, nil
}

func sameFields(a, b *catalog.Dataset) bool {
	return slices.EqualFunc(a.Fields, b.Fields, func(x, y catalog.Field) bool {
		return x.Name == y.Name && x.Type == y.Type && x.Class == y.Class && identifies(&x) == identifies(&y)
	})
}

// same reports whether two texts of an agreement ask for the same: a changed title needs no new approval. What it is for does: citizens are told so.
func same(a, b *manifest.Agreement) bool {
	x, y := *a, *b
	x.Title, y.Title = manifest.Text{}, manifest.Text{}
	return fmt.Sprintf("%+v", x) == fmt.Sprintf("%+v", y) // maps are printed in order of their keys
}

// asked reports whether the newest of an agreement's versions, which waits or holds, is what a text asks for.
func asked(all []*Version, spec *manifest.Agreement, d *catalog.Dataset) bool {
	if len(all) == 0 {
		return false
	}
	last := all[len(all)-1]
	holds := (last.State == Active || last.State == Suspended) && fits(last, d)
	return (holds || last.State == Requested) && same(last.Spec, spec)
}

// personal reports whether an agreement tells something about persons: by its fields, or by its condition, for that a record is there says that it holds; or
// by the person whom a read names.
func personal(spec *manifest.Agreement, d *catalog.Dataset) bool {
	if !d.Class().AtLeast(manifest.Personal) {
		return false
	}
	if subjectOf(d) != nil {
		return true
	}
	about := func(name string) bool {
		f := d.Field(name)
		return f != nil && f.Class.AtLeast(manifest.Personal)
	}
	if slices.ContainsFunc(spec.Fields, about) {
		return true
	}
	if spec.Where == "" {
		return false
	}
	condition, err := environment(d).Compile(spec.Where)
	return err != nil || slices.ContainsFunc(condition.Fields(), about)
}

// check finds what is wrong with an agreement by the dataset it reads.
func check(r *manifest.Resource, spec *manifest.Agreement, d *catalog.Dataset) (findings []manifest.Finding) {
	fault := func(code, at string, message, hint lang.Text) {
		findings = append(findings, r.Finding(manifest.Error, code, at, message, hint))
	}
	for i, name := range spec.Fields {
		f := d.Field(name)
		if f == nil {
			hint := lang.F("쓸 수 있는 항목: %s", "its fields: %s", strings.Join(d.FieldNames(), ", "))
			if near := manifest.Nearest(name, d.FieldNames()); near != "" {
				hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
			}
			fault("agreement.field", fmt.Sprintf("fields.%d", i), lang.F("데이터셋 %[2]s에 없는 항목입니다: %[1]s", "the dataset %[2]s has no field %[1]s", name, d.Path()), hint)
			continue
		}
		if f.Class == manifest.Unique && spec.Masks[name] == "" && strings.TrimSpace(spec.Basis) == "" {
			fault("agreement.basis", "basis", lang.F("고유식별정보(%s)를 읽으려면 법령의 조문이 필요합니다", "reading the unique identifier %s needs an article of a law", name), lang.T("basis에 법령과 조문을 쓰십시오 (개인정보 보호법 제24조의2)", "name law and article in basis (개인정보 보호법 제24조의2)"))
		}
		if name := spec.Masks[name]; name != "" {
			m, known := mask.Named(name)
			switch {
			case !known:
				hint := lang.F("쓸 수 있는 방법: %s", "what there is: %s", strings.Join(mask.Names(), ", "))
				fault("agreement.mask", "masks."+f.Name, lang.F("없는 가림 방법입니다: %s", "there is no mask %s", name), hint)
			case !m.Suits(f.Type):
				fault("agreement.mask", "masks."+f.Name, lang.F("이 유형(%[2]s)에는 쓸 수 없는 가림 방법입니다: %[1]s", "the mask %[1]s isn't for the type %[2]s", name, string(f.Type)), lang.Text{})
			}
		}
	}
	if personal(spec, d) && strings.TrimSpace(spec.Basis) == "" && !spec.Asked() {
		fault("agreement.basis", "basis", lang.T("개인정보를 읽으려면 법적 근거가 필요합니다", "reading personal data needs a legal basis"), lang.T("basis에 법령과 조문을 쓰거나, consent: asked로 미리 동의를 받으십시오 (개인정보 보호법 제15조, 제18조)", "name law and article in basis, or ask for consent beforehand with consent: asked (개인정보 보호법 제15조, 제18조)"))
	}
	if spec.Consent == "none" && personal(spec, d) {
		fault("agreement.consent", "consent", lang.T("사람에 관한 자료에는 consent: none을 쓸 수 없습니다", "consent: none isn't for data about persons"), lang.T("law 또는 asked를 쓰십시오", "write law or asked"))
	}
	about := subjectOf(d)
	if about == nil && (personal(spec, d) || spec.Asked() || !spec.Many() && spec.Subject != "") {
		fault("agreement.subject", "dataset", lang.F("누구에 관한 레코드인지 알 수 없는 데이터셋입니다: %s", "the dataset %s doesn't say whom its records are about", d.Path()),
			lang.T("데이터셋의 subject가 identifies: person인 용어를 따라야 합니다", "its subject must cite a term with identifies: person"))
	}
	if spec.Events && about != nil && !spec.Many() {
		fault("agreement.events", "events", lang.T("바뀔 때마다 알리려면 여러 사람의 자료를 열람하는 협약이어야 합니다", "events are about many people: the agreement must be for many"), lang.T("subject: many를 쓰십시오", "write subject: many"))
	}
	if spec.Where != "" {
		if _, err := environment(d).Compile(spec.Where); err != nil {
			p := problem.As(err)
			if p == nil {
				p = problem.New("rule.syntax", 400, lang.T("조건을 읽을 수 없습니다", "the condition can't be read"))
			}
			message := p.Detail
			if len(p.At) > 0 {
				message = p.At[0].Message
			}
			fault("agreement.where", "where", lang.F("조건을 쓸 수 없습니다: %s", "the condition can't be used: %s", message), p.Hint)
		}
	}
	return findings
}

// environment is what conditions over a dataset's records are compiled against. It has been made of checked names before.
func environment(d *catalog.Dataset) *rule.Env {
	var fields []rule.Field
	for _, f := range d.Fields {
		if f.Class != manifest.Unique { // it lies sealed: no condition can see it
			fields = append(fields, rule.Field{Name: f.Name, Type: f.Type, Nullable: !f.KeyPart})
		}
	}
	env, err := rule.NewEnv(fields, rule.Options{Guarded: true})
	if err != nil {
		panic(err) // a dataset whose fields have no names isn't in a catalog
	}
	return env
}

// subjectOf is the field that says whom a dataset's records are about; nil where none says it by the city's identifiers.
func subjectOf(d *catalog.Dataset) *catalog.Field {
	f := d.Field(d.Spec.Subject)
	if f == nil || identifies(f) != "person" {
		return nil
	}
	return f
}

// identifies is what a field's values identify, "" for nothing.
func identifies(f *catalog.Field) string {
	if f.Cites == nil {
		return ""
	}
	return f.Cites.Identifies
}

// Apply implements catalog.Follower: it files requests for what is new, and revokes what is gone.
func (x *Exchange) Apply(ctx context.Context, tx *db.Tx, before, after *catalog.Snapshot, who *identity.Principal, _ bool) error {
	if _, err := tx.Exec(ctx, "UPDATE standing_change SET n = n + 1, revision = ? WHERE one = 1", after.Revision); err != nil {
		return fmt.Errorf("note that the catalog changes: %w", err)
	}
	for _, r := range before.List("Agreement") {
		if after.Get(r.Key) != nil {
			continue
		}
		all, err := x.held(ctx, tx, r.Project, r.Name)
		if err != nil {
			return err
		}
		for _, v := range all {
			if !v.State.live() {
				continue
			}
			if err := x.set(ctx, tx, v, Revoked); err != nil {
				return err
			}
			if err := x.note(ctx, tx, v, who.Actor(), "removed", ""); err != nil {
				return err
			}
		}
	}
	for _, r := range after.List("Agreement") {
		if old := before.Get(r.Key); old != nil && old.Text == r.Text {
			continue
		}
		if err := x.file(ctx, tx, after, r, who.Actor()); err != nil {
			return err
		}
	}
	return nil
}

// file files a request for an agreement's new text.
func (x *Exchange) file(ctx context.Context, tx *db.Tx, after *catalog.Snapshot, r *manifest.Resource, author string) error {
	all, err := x.held(ctx, tx, r.Project, r.Name)
	if err != nil {
		return err
	}
	spec := r.Spec.(*manifest.Agreement)
	to := spec.Provider(r.Project)
	d := after.Dataset(to.Project, to.Name)
	if d == nil {
		return fmt.Errorf("file the agreement %s: there is no dataset %s", r.Key, to)
	}
	v := &Version{Project: r.Project, Name: r.Name, Version: 1, Spec: spec, Dataset: d.Path(), Author: author, At: x.now().UTC(), Until: spec.Until, Personal: personal(spec, d), State: Requested}
	if n := len(all); n > 0 {
		last := all[n-1]
		if asked(all, spec, d) {
			_, err := tx.Exec(ctx, "UPDATE agreement_version SET body = ? WHERE project = ? AND name = ? AND version = ?", r.Text, v.Project, v.Name, last.Version)
			return err
		}
		v.Version = last.Version + 1
		for _, older := range all {
			if older.State == Requested { // nobody approves what isn't asked for any more
				if err := x.set(ctx, tx, older, Replaced); err != nil {
					return err
				}
			}
		}
	}
	return x.insert(ctx, tx, v, r.Text, "requested", "")
}

func (x *Exchange) insert(ctx context.Context, tx *db.Tx, v *Version, body, what, note string) error {
	_, err := tx.Exec(ctx, "INSERT INTO agreement_version (project, name, version, body, dataset, author, at, until, personal, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		v.Project, v.Name, v.Version, body, v.Dataset, v.Author, v.At.Format(time.RFC3339Nano), string(v.Until), truth(v.Personal, tx.Dialect()), v.State)
	if err != nil {
		return fmt.Errorf("file the agreement %s: %w", v.Path(), err)
	}
	return x.note(ctx, tx, v, v.Author, what, note)
}

// truth is a bool as the database takes it.
func truth(b bool, d db.Dialect) any {
	if d == db.Postgres {
		return b
	}
	if b {
		return int64(1)
	}
	return int64(0)
}
