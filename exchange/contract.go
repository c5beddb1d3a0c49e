package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange/mask"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/rule"
)

// contract is an active version, ready to be read by: against the catalog as it is.
type contract struct {
	*Version
	revision  int64
	dataset   *catalog.Dataset
	subject   *catalog.Field   // nil where the records aren't about persons
	view      *catalog.Dataset // what the caller's filter may name: the fields that are read as they are
	fields    []shown          // in the agreement's order
	condition *rule.Rule       // which records; nil: all
	consumer  identity.Place
	provider  identity.Place
}

// shown is a field as the consumer sees it.
type shown struct {
	catalog.Field            // its type is that of what is shown
	mask          *mask.Mask // nil: as it is
	identifies    string     // "person", "household": translated
}

type versionKey struct {
	path    string
	version int64
}

// contract makes a version ready.
func (x *Exchange) contract(v *Version) (*contract, error) {
	s := x.catalog()
	project, name := cut(v.Dataset)
	d := s.Dataset(project, name)
	if d == nil {
		return nil, problem.New("agreement.dataset", 409, lang.F("제공되던 데이터셋이 없어졌습니다: %s", "the provider's dataset is gone: %s", v.Dataset))
	}
	var err error
	c := &contract{Version: v, revision: s.Revision, dataset: d, subject: subjectOf(d), consumer: s.Place(v.Project), provider: s.Place(d.Project)}
	plain := map[string]bool{}
	for _, name := range v.Spec.Fields {
		f := d.Field(name)
		if f == nil {
			return nil, problem.New("agreement.dataset", 409, lang.F("협약의 항목이 데이터셋에 없어졌습니다: %s", "a field of the agreement is gone from the dataset: %s", name)).
				Hinting(lang.T("협약의 fields를 고쳐 다시 신청하십시오", "mend the agreement's fields and apply it again"))
		}
		one := shown{Field: *f, identifies: identifies(f)}
		if name := v.Spec.Masks[name]; name != "" {
			m, ok := mask.Named(name)
			if !ok {
				return nil, fmt.Errorf("the agreement %s: there is no mask %s", v.Path(), name)
			}
			one.mask, one.Type, one.Codes = &m, m.TypeOf(f.Type), nil
		}
		if one.mask == nil && one.identifies == "" && f.Class != manifest.Unique {
			plain[name] = true
		}
		c.fields = append(c.fields, one)
	}
	if v.Spec.Where != "" {
		if c.condition, err = environment(d).Compile(v.Spec.Where); err != nil {
			return nil, problem.New("agreement.dataset", 409, lang.T("협약의 조건이 바뀐 데이터셋과 맞지 않습니다", "the agreement's condition doesn't fit the dataset any more")).
				Hinting(lang.T("협약의 where를 고쳐 다시 신청하십시오", "mend the agreement's where and apply it again"))
		}
	}
	c.view = d.Narrow(fmt.Sprintf("agreement %s %d", v.Path(), v.Version), func(f *catalog.Field) bool { return plain[f.Name] })
	return c, nil
}

// fits reports whether a version was approved for what the dataset's fields are now: one may have become about persons since.
func fits(v *Version, d *catalog.Dataset) bool { return v.Privacy != "" || !personal(v.Spec, d) }

func (c *contract) fits() error {
	if !fits(c.Version, c.dataset) {
		return problem.New("agreement.approval", 403, lang.T("항목의 보호 등급이 높아져 개인정보 보호책임자의 승인이 필요합니다", "a field has become personal: the privacy officer must approve it first")).
			Hinting(lang.T("협약을 다시 신청하십시오", "apply the agreement again"))
	}
	return nil
}

// field finds one of the agreement's fields.
func (c *contract) field(name string) *shown {
	for i := range c.fields {
		if c.fields[i].Name == name {
			return &c.fields[i]
		}
	}
	return nil
}

// all are all of the agreement's fields.
func (c *contract) all() []*shown {
	out := make([]*shown, len(c.fields))
	for i := range c.fields {
		out[i] = &c.fields[i]
	}
	return out
}

// wanted are the fields that a request names, all where it names none.
func (c *contract) wanted(names []string) ([]*shown, error) {
	if len(names) == 0 {
		names = c.Spec.Fields
	}
	var out []*shown
	var faults []problem.Detail
	for _, name := range names {
		f := c.field(name)
		if f == nil {
			d := problem.Detail{Code: "agreement.field", Where: name, Message: lang.F("협약에 없는 항목입니다: %s", "the agreement has no field %s", name)}
			if near := manifest.Nearest(name, c.Spec.Fields); near != "" {
				d.Hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
			}
			faults = append(faults, d)
			continue
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	if len(faults) > 0 {
		p := problem.New("agreement.field", 403, lang.F("협약 %s에 없는 항목을 요청했습니다", "the agreement %s doesn't have what was asked for", c.Path())).
			Hinting(lang.F("읽을 수 있는 항목: %s", "its fields: %s", strings.Join(c.Spec.Fields, ", ")))
		p.At = faults
		return nil, p
	}
	return out, nil
}

// person is whom a record is about: as the provider calls them, and their number.
type person struct {
	identifier string
	number     int64
}

// show makes a provider's record what the consumer sees of it.
func (x *Exchange) show(c *contract, fields []*shown, rec *registry.Record, subject person) (*registry.Record, error) {
	out := &registry.Record{Fields: make([]*catalog.Field, len(fields)), Values: make([]any, len(fields))}
	for i, f := range fields {
		out.Fields[i] = &f.Field
		v := rec.Values[i]
		if v == nil {
			continue
		}
		switch {
		case f.mask != nil:
			masked, err := f.mask.Apply(v, func(text string) (string, error) {
				return x.keys.Index("mask "+c.Project+" "+c.dataset.Path()+" "+f.Name, text)
			})
			if err != nil {
				return nil, err
			}
			out.Values[i] = masked
		case f.identifies != "":
			text, _ := v.(string)
			n, ok := subject.number, f.identifies == "person" && subject.number > 0 && text == subject.identifier
			if !ok {
				n, ok = x.number(c.dataset.Project, f.identifies, text)
			}
			if !ok {
				return nil, untranslatable(c.dataset.Path())
			}
			theirs, err := x.Pseudonym(c.Project, f.identifies, n)
			if err != nil {
				return nil, err
			}
			out.Values[i] = theirs
		default:
			out.Values[i] = v
		}
	}
	return out, nil
}

func untranslatable(dataset string) error {
	return problem.New("exchange.identifier", 409, lang.F("데이터셋 %s에 누구인지 알 수 없는 레코드가 있어 내보낼 수 없습니다", "the dataset %s has a record of which it can't be said whom it is about", dataset)).
		Hinting(lang.T("제공 기관의 데이터 관리자에게 알려 주십시오", "tell the provider's steward"))
}

// unknown says that there is no agreement of a name, and which may have been meant.
func (x *Exchange) unknown(project, name string) error {
	p := problem.New("agreement.unknown", 404, lang.F("없는 협약입니다: %s/%s", "there is no agreement %s/%s", project, name))
	var names []string
	for _, r := range x.catalog().List("Agreement") {
		if r.Project == project {
			names = append(names, r.Name)
		}
	}
	if near := manifest.Nearest(name, names); near != "" {
		p.Hint = lang.F("비슷한 이름: %s/%s", "did you mean %s/%s?", project, near)
	}
	return p
}

// standing is what a node knows of an agreement that holds: how it stood after so many changes.
type standing struct {
	changes  int64
	contract *contract
}

// errBehind is that another node has applied a revision that this one hasn't read yet.
var errBehind = problem.New("catalog.moved", 409, lang.T("카탈로그가 방금 바뀌었습니다", "the catalog has just changed")).Hinting(lang.T("다시 시도하십시오", "try again"))

// active finds the version that holds, in the transaction that reads the records: so a revocation is felt by every read that begins after it, on every
// node. Where nothing has changed since the node looked, it is as it was.
func (x *Exchange) active(ctx context.Context, tx *db.Tx, project, name string) (*contract, error) {
	var now standing
	var revision int64
	if err := tx.QueryRow(ctx, "SELECT n, revision FROM standing_change WHERE one = 1").Scan(&now.changes, &revision); err != nil {
		return nil, fmt.Errorf("look whether agreements have changed: %w", err)
	}
	if revision > x.catalog().Revision {
		return nil, errBehind
	}
	path := project + "/" + name
	if known, ok := x.ready.Load(path); ok && known.(standing).changes == now.changes && known.(standing).contract.revision == x.catalog().Revision {
		c := known.(standing).contract
		if state := c.Stands(x.today()); state != Active {
			return nil, inactive(c.Version, state)
		}
		return c, nil
	}
	all, err := x.named(ctx, tx, project, name)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, x.unknown(project, name)
	}
	s := standings(all)[0]
	v := s.Holds
	if v == nil {
		return nil, inactive(s.Shown(), s.Shown().Stands(x.today()))
	}
	if state := v.Stands(x.today()); state != Active {
		return nil, inactive(v, state)
	}
	if now.contract, err = x.contract(v); err != nil {
		return nil, err
	}
	if err := now.contract.fits(); err != nil {
		return nil, err
	}
	if err := x.cutOff(ctx, tx, now.contract); err != nil {
		return nil, err
	}
	x.ready.Store(path, now)
	return now.contract, nil
}

// caughtUp does what needs the catalog as the database has it: where this node is behind, it catches up and does it again.
func (x *Exchange) caughtUp(ctx context.Context, do func() error) error {
	err := do()
	for tries := 0; errors.Is(err, errBehind) && tries < 3; tries++ {
		if err := x.refresh(ctx); err != nil {
			return err
		}
		err = do()
	}
	return err
}

// still reports, as an error, that the version by which a bulk read began doesn't hold any more.
func (x *Exchange) still(ctx context.Context, c *contract) error {
	now, err := x.holds(ctx, c.Project, c.Name)
	if err == nil && now.Version.Version != c.Version.Version {
		err = problem.New("agreement.replaced", 409, lang.F("읽는 동안 협약 %s의 새 판이 승인되었습니다", "a new version of the agreement %s was approved meanwhile", c.Path())).
			Hinting(lang.T("다시 읽으십시오", "read again"))
	}
	return err
}

func inactive(v *Version, state State) error {
	hints := map[State]lang.Text{
		Requested: lang.T("제공 기관의 데이터 관리자(개인정보가 있으면 개인정보 보호책임자도)가 승인하면 읽을 수 있습니다", "the provider's steward, and for personal data the privacy officer, must approve it first"),
		Suspended: lang.T("제공 기관의 데이터 관리자에게 문의하십시오", "ask the provider's steward"),
		Revoked:   lang.T("필요하면 콘솔에서 다시 신청하십시오", "ask for it again in the console if you need it"),
		Refused:   lang.T("거부된 이유를 콘솔에서 확인하십시오", "the console shows the reason"),
		Expired:   lang.T("갱신을 신청하십시오", "ask for a renewal"),
	}
	code := "agreement." + string(state)
	return problem.New(code, 403, lang.F("지금 ‘%[2]s’ 상태여서 읽을 수 없는 협약입니다: %[1]s", "the agreement %[1]s can't be read by: it is %[2]s", v.Path(), StateTitle(state))).Hinting(hints[state])
}

// cutOff is nil where no agency above the consumer or the provider is cut off.
func (x *Exchange) cutOff(ctx context.Context, tx *db.Tx, c *contract) error {
	agencies := append(slices.Clone(c.consumer.Owners), c.provider.Owners...)
	if len(agencies) == 0 {
		return nil
	}
	args := make([]any, len(agencies))
	for i, a := range agencies {
		args[i] = a
	}
	var agency string
	err := tx.QueryRow(ctx, "SELECT agency FROM cut_off WHERE agency IN ("+db.Marks(len(args))+") LIMIT 1", args...).Scan(&agency)
	if db.NoRows(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for agencies that are cut off: %w", err)
	}
	return problem.New("agency.cut_off", 403, lang.F("기관 %s의 자료 공유가 중단되어 있습니다", "the sharing of the agency %s is cut off", agency)).
		Hinting(lang.T("개인정보 보호책임자나 운영자에게 문의하십시오", "ask the privacy officer or the administrator"))
}
