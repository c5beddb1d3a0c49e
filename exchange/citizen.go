package exchange

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange/mask"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
)

// Receipt is a read as the person it was about sees it, or who may look at the log.
type Receipt struct {
	ID int64
	Public
	Actor  string // who read
	Name   string // as they are called
	Reason string // of a value that was shown on a page

	about lang.Text // why, in the words of the version that it was read by
}

// Receipts lists what was read about a citizen, the newest first, at most limit, with numbers below before (0: from the newest).
func (x *Exchange) Receipts(ctx context.Context, who *identity.Principal, before int64, limit int) ([]Receipt, error) {
	person, err := citizen(who)
	if err != nil {
		return nil, err
	}
	all, err := x.log.About(ctx, int64(x.logged(person)), before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Receipt, len(all))
	for i, s := range all {
		if out[i], err = read(s); err != nil {
			return nil, err
		}
	}
	return out, x.explain(ctx, out)
}

// explain gives receipts the words of the agreements that were read by: as they were then.
func (x *Exchange) explain(ctx context.Context, receipts []Receipt) error {
	return x.db.Read(ctx, func(tx *db.Tx) error {
		known := map[versionKey]lang.Text{}
		for i := range receipts {
			r := &receipts[i]
			key := versionKey{r.Agreement, r.Version}
			about, ok := known[key]
			if project, name := cut(r.Agreement); !ok && project != "" {
				all, err := x.versions(ctx, tx, "project = ? AND name = ? AND version = ?", project, name, r.Version)
				if err != nil {
					return err
				}
				if len(all) > 0 {
					about = all[0].Spec.About
				}
				known[key] = about
			}
			r.about = about
		}
		return nil
	})
}

func read(s ledger.Stored) (Receipt, error) {
	r := Receipt{ID: s.N}
	public, err := s.Public()
	if err == nil {
		err = json.Unmarshal(public, &r.Public)
	}
	var private Private
	if err == nil && len(s.Private) > 0 {
		err = json.Unmarshal(s.Private, &private)
	}
	if err != nil {
		return r, fmt.Errorf("read receipt %d: %w", s.N, err)
	}
	r.Actor, r.Name, r.Reason = private.Actor, private.Name, private.Reason
	return r, nil
}

// Proof is a receipt with what is needed to check it away from here.
type Proof struct {
	ledger.Proof
	Verifier string `json:"verifier" doc:"The log's public key (a note verifier). Compare it with the one that the city publishes"`
}

// Prove gives a receipt's proof: with its private part to the citizen it was about, and to the privacy officer; without it to the consumer.
func (x *Exchange) Prove(ctx context.Context, who *identity.Principal, id int64) (Receipt, Proof, error) {
	none := problem.New("ledger.unknown", 404, lang.F("없는 열람 기록입니다: %v", "there is no receipt %v", id))
	if !who.SignedIn() {
		return Receipt{}, Proof{}, who.Refused()
	}
	stored, err := x.log.Entry(ctx, id)
	if err != nil {
		return Receipt{}, Proof{}, err
	}
	r, err := read(stored)
	if err != nil {
		return Receipt{}, Proof{}, err
	}
	whole := who.Has(identity.Privacy)
	if person, err := citizen(who); err == nil {
		if whole, err = x.log.Concerns(ctx, id, int64(x.logged(person))); err != nil {
			return Receipt{}, Proof{}, err
		}
	}
	if !whole && !who.May(identity.ReadGoverned, x.catalog().Place(r.Consumer)) {
		return Receipt{}, Proof{}, none
	}
	shown := []Receipt{r}
	if err := x.explain(ctx, shown); err != nil {
		return Receipt{}, Proof{}, err
	}
	r = shown[0]
	p, err := x.log.Prove(ctx, id)
	if err != nil {
		return Receipt{}, Proof{}, err
	}
	if !whole {
		p.Private, p.Blocks = nil, nil
		r.Actor, r.Name, r.Reason = "", "", ""
	}
	return r, Proof{p, x.log.Verifier()}, nil
}

// Parts of a sentence about a receipt, in words.

// Reader is who read: the office of the day, and its project.
func (r *Receipt) Reader(s *catalog.Snapshot) lang.Text {
	project := s.Title(manifest.Key{Kind: "Project", Name: r.Consumer})
	agency := s.Title(manifest.Key{Kind: "Agency", Name: r.Agency})
	if r.Agency == "" {
		return project
	}
	if r.Kind == "reveal" {
		return agency
	}
	return lang.F("%[1]s(%[2]s)", "%[1]s (%[2]s)", agency, project)
}

// What is what was read: the fields' names, and how much of each.
func (r *Receipt) What(s *catalog.Snapshot) lang.Text {
	project, name := cut(r.Dataset)
	d := s.Dataset(project, name)
	var ko, en []string
	for _, field := range r.Fields {
		label := lang.T(field, field)
		if d != nil {
			if f := d.Field(field); f != nil {
				label = f.Label()
			}
		}
		if m, ok := mask.Named(r.Masks[field]); ok {
			label = lang.F("%[1]s(%[2]s)", "%[1]s (%[2]s)", label, m.About)
		}
		ko, en = append(ko, label.In(lang.Ko)), append(en, label.In(lang.En))
	}
	return lang.T(strings.Join(ko, ", "), strings.Join(en, ", "))
}

// Why is the purpose: in the words of the agreement that it was read by, where it has some.
func (r *Receipt) Why() lang.Text {
	switch {
	case r.Reason != "":
		return lang.T(r.Reason, r.Reason)
	case !r.about.Empty():
		return r.about
	case r.Kind == "own":
		return lang.T("소관 업무 처리", "the office's own work")
	}
	return lang.T(r.Purpose, r.Purpose)
}

// Sentence says a receipt in plain words.
func (r *Receipt) Sentence(s *catalog.Snapshot) lang.Text {
	at := r.At.In(clock.Seoul)
	day := lang.T(at.Format("2006년 1월 2일 15시 04분"), at.Format("2 January 2006, 15:04"))
	project, name := cut(r.Dataset)
	from := s.Title(manifest.Key{Kind: "Dataset", Project: project, Name: name})
	if r.Records == 0 {
		return lang.F("%[1]s에 %[2]s에서 ‘%[3]s’ 자료를 조회했으나 해당하는 내용이 없었습니다.", "On %[1]s, %[2]s looked for you in “%[3]s” and found nothing.", day, r.Reader(s), from)
	}
	if r.Kind == "event" {
		return lang.F("%[1]s에 ‘%[3]s’ 자료에서 바뀐 내용을 %[2]s에 알렸습니다. 알린 항목: %[4]s.", "On %[1]s, %[2]s was told what had changed about you in “%[3]s”: %[4]s.", day, r.Reader(s), from, r.What(s))
	}
	if r.People > 1 {
		return lang.F("%[1]s에 %[2]s에서 ‘%[3]s’ 자료의 %[4]s 항목을 다른 사람들의 정보와 함께 열람했습니다.", "On %[1]s, %[2]s read %[4]s in “%[3]s”, of you among others.", day, r.Reader(s), from, r.What(s))
	}
	return lang.F("%[1]s에 %[2]s에서 ‘%[3]s’ 자료의 %[4]s 항목을 열람했습니다.", "On %[1]s, %[2]s read your %[4]s in “%[3]s”.", day, r.Reader(s), from, r.What(s))
}

// Audit looks at all that the log stores, also what only those it is about may see, for those who may look at the log. One looks at a time.
func (x *Exchange) Audit(ctx context.Context, who *identity.Principal) (ledger.Tree, error) {
	if err := who.Need(identity.SeeLog, identity.Place{}); err != nil {
		return ledger.Tree{}, err
	}
	select {
	case x.auditing <- struct{}{}:
		defer func() { <-x.auditing }()
	case <-ctx.Done():
		return ledger.Tree{}, ctx.Err()
	}
	return x.log.Audit(ctx, nil)
}

// LogState is how the log stands.
type LogState struct {
	ledger.Head
	Verifier string
}

// Log says how the log stands.
func (x *Exchange) Log(ctx context.Context) (LogState, error) {
	h, err := x.log.Head(ctx)
	return LogState{h, x.log.Verifier()}, err
}
