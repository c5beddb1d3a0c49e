package exchange

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// Limits of showing values on a page.
const (
	minReason = 5 // letters
	maxReason = 500
)

var revealRate = ledger.Rate{Most: 60, In: time.Minute} // a person's

// Handle is a name of a record for the page that shows it masked: it says nothing about whose record it is.
func (x *Exchange) Handle(d *catalog.Dataset, key string) (string, error) {
	return x.keys.Seal("record of "+d.Path(), key)
}

// Reveal shows the record of a handle, with its fields about persons, to somebody of its owner's for a reason, and leaves a receipt before it does.
// Values of class unique aren't among them.
//
// Codes: auth.needed, auth.refused, dataset.unknown, record.unknown, reveal.reason, reveal.rate, exchange.identifier, ledger.unavailable.
func (x *Exchange) Reveal(ctx context.Context, who *identity.Principal, project, name, handle, reason string) (*registry.Record, int64, error) {
	s := x.catalog()
	d, place := s.Dataset(project, name), s.Place(project)
	if err := who.Need(identity.Reveal, place); err != nil {
		return nil, 0, err
	}
	if d == nil {
		return nil, 0, problem.New("dataset.unknown", 404, lang.F("없는 데이터셋입니다: %s/%s", "there is no dataset %s/%s", project, name))
	}
	reason = legible(reason)
	if n := utf8.RuneCountInString(reason); n < minReason || n > maxReason {
		return nil, 0, problem.New("reveal.reason", 422, lang.F("보려는 이유를 %d–%d자로 적어 주십시오", "say why you look, in %d to %d characters", minReason, maxReason)).
			Hinting(lang.T("이유는 열람 기록에 남아 당사자에게 보입니다", "the reason is kept, and the person it is about sees it"))
	}
	part, err := registry.Readable(who, d, place)
	if err != nil {
		return nil, 0, err
	}
	key, err := x.keys.Unseal("record of "+d.Path(), handle)
	if err != nil {
		return nil, 0, problem.New("record.unknown", 404, lang.T("어느 레코드를 보시려는지 알 수 없습니다", "it can't be said which record is meant")).
			Hinting(lang.T("데이터셋의 예시 화면에서 다시 고르십시오", "choose it again on the dataset's sample page"))
	}
	rec, err := x.registry.Get(ctx, part, key)
	if err != nil {
		return nil, 0, err
	}
	n, err := x.shownTo(ctx, who, s, d, rec, reason)
	return rec, n, err
}

// legible is a text without what can't be seen: control characters, and those that turn the direction of writing or have no width.
func legible(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

// Own writes the receipt of what somebody of a dataset's owner reads of it for the owner's own work. It implements registry.Keep. It is about whom the records are
// about, and whom the filter names. A record that is nobody's has a receipt of nobody: a steward must see it to mend it.
func (x *Exchange) Own(ctx context.Context, who *identity.Principal, d *catalog.Dataset, seen registry.Seen) error {
	public := x.ofOwner("own", x.catalog(), d)
	public.Agency, public.Fields, public.Records = public.Provider, seen.Fields, seen.Records
	if who.Agency != "" {
		public.Agency = who.Agency
	}
	about := roaring.New()
	for _, identifier := range append(slices.Clone(seen.Subjects), identifiers.FindAllString(seen.Filter, -1)...) {
		if n, ok := x.number(d.Project, "person", identifier); ok {
			about.Add(x.logged(n))
		}
	}
	private, err := x.private(who, seen.Filter)
	if err != nil {
		return err
	}
	_, err = x.log.Append(ctx, entry(public, private, about))
	return err
}

// identifiers are the texts in a filter that may identify persons.
var identifiers = regexp.MustCompile(`p[a-z2-7]{20,}`)

// ofOwner is what everyone may see of a receipt of what the owner's own people read.
func (x *Exchange) ofOwner(kind string, s *catalog.Snapshot, d *catalog.Dataset) Public {
	public := Public{Kind: kind, At: x.now().UTC().Truncate(time.Millisecond), Dataset: d.Path(), Revision: s.Revision, Consumer: d.Project, Purpose: kind}
	if place := s.Place(d.Project); len(place.Owners) > 0 {
		public.Provider = place.Owners[0]
	}
	return public
}

// private is what only those it is about may see of a receipt. A filter stands sealed in it, for it may name others than who reads the receipt.
func (x *Exchange) private(who *identity.Principal, filter string) (Private, error) {
	p := Private{Salt: newSalt(), Actor: who.Actor(), Name: who.Name}
	if filter == "" {
		return p, nil
	}
	var err error
	p.Filter, err = x.keys.Seal(filterOfReceipt, filter)
	return p, err
}

// shownTo writes the receipt of a record that is shown.
func (x *Exchange) shownTo(ctx context.Context, who *identity.Principal, s *catalog.Snapshot, d *catalog.Dataset, rec *registry.Record, reason string) (int64, error) {
	public := x.ofOwner("reveal", s, d)
	public.Agency, public.Records = who.Agency, 1
	private, err := x.private(who, "")
	if err != nil {
		return 0, err
	}
	private.Reason = reason
	subject := subjectOf(d)
	for i, f := range rec.Fields {
		if f.Class.AtLeast(manifest.Personal) {
			public.Fields = append(public.Fields, f.Name)
		}
		if text, ok := rec.Values[i].(string); ok && subject != nil && f.Name == subject.Name {
			n, ok := x.number(d.Project, "person", text)
			if !ok {
				return 0, untranslatable(d.Path())
			}
			private.Subject, public.People = int64(x.logged(n)), 1
		}
	}
	rate := revealRate
	rate.Name = "reveal " + who.Actor()
	entry := ledger.Entry{Public: public, Private: private, Subject: private.Subject, Rate: &rate}
	n, err := x.log.Append(ctx, entry)
	if problem.Code(err) == "ledger.rate" {
		p := problem.As(err)
		return 0, problem.New("reveal.rate", p.Status, lang.F("1분에 %d건까지만 보실 수 있습니다", "at most %d records a minute are shown", revealRate.Most)).Hinting(p.Hint)
	}
	return n, err
}
