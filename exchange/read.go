package exchange

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/registry"
)

// Request is a read by an agreement.
type Request struct {
	Agreement string   // project/name of the consumer's
	Purpose   string   // must be the agreement's
	Subject   string   // one person, as the consumer calls them
	Subjects  []string // or several
	Filter    string   // or all that a condition over the agreement's unmasked fields lets through (bulk)
	Fields    []string // all of the agreement's where none are named
}

// bulk reports whether it asks for whoever there is.
func (r Request) bulk() bool { return r.Subject == "" && r.Subjects == nil }

// Limits of a read.
const (
	MaxSubjects = 1000   // named in one read
	partRecords = 50_000 // of a bulk read leave together, with a receipt of their own
	partBytes   = 32 << 20
)

// Part is some records of a read and the receipt that was durable before they left.
type Part struct {
	Receipt int64
	Records []*registry.Record
}

// Read reads by an agreement, and hands the records to yield in parts, each after its receipt is durable: one part where people are named, as many as it
// takes for a bulk read, which ends where the agreement ceases to hold meanwhile. Where there is nothing to read, yield gets one part without records all the same: that somebody asked is kept too.
//
// Codes: auth.needed, auth.refused; agreement.unknown, agreement.requested, .refused, .suspended, .revoked, .expired, .approval, .dataset, .replaced; agency.cut_off;
// agreement.purpose, agreement.subject, agreement.field, agreement.consent, agreement.rate; those of filters; exchange.identifier;
// ledger.unavailable.
func (x *Exchange) Read(ctx context.Context, who *identity.Principal, r Request, yield func(fields []*catalog.Field, p Part) error) error {
	project, name := cut(r.Agreement)
	if project == "" && who.Kind == identity.Service {
		project = who.Project
	}
	return x.caughtUp(ctx, func() error {
		if err := who.Need(identity.ReadGoverned, x.catalog().Place(project)); err != nil {
			return err
		}
		one := &reading{x: x, ctx: ctx, who: who, request: r, yield: yield}
		return one.whole(project, name)
	})
}

// whole reads by an agreement, from beginning to end.
func (r *reading) whole(project, name string) error {
	run := func(tx *db.Tx) (err error) {
		if r.contract, err = r.x.active(r.ctx, tx, project, name); err != nil {
			return err
		}
		r.tx = tx
		return r.run()
	}
	var err error
	if r.request.bulk() { // the parts leave while the transaction is open: all are of one state of the data
		err = r.x.db.ReadLong(r.ctx, run)
	} else { // and the connection is given back before the receipt is waited for
		err = r.x.db.Read(r.ctx, run)
	}
	if problem.Code(err) == "agreement.consent" { // that somebody asked about them they learn all the same
		if _, failed := r.write(); failed != nil {
			return failed
		}
	}
	if err != nil {
		return err
	}
	if r.parts == 0 || len(r.records) > 0 {
		return r.leave()
	}
	return nil
}

// reading is one read under way.
type reading struct {
	x        *Exchange
	ctx      context.Context
	tx       *db.Tx
	who      *identity.Principal
	contract *contract
	request  Request
	yield    func([]*catalog.Field, Part) error

	fields    []*shown
	out       []*catalog.Field
	selection registry.Selection
	people    map[string]int64 // the provider's identifier → the city's number, of those named
	id        string
	parts     int

	asked    bool
	consents map[int64]bool

	records []*registry.Record
	about   *roaring.Bitmap
	bytes   int
}

func (r *reading) run() error {
	c := r.contract
	if r.request.Purpose != c.Spec.Purpose {
		return problem.New("agreement.purpose", 403, lang.F("협약 %[1]s의 목적은 ‘%[2]s’입니다", "the purpose of the agreement %[1]s is %[2]s", c.Path(), c.Spec.Purpose)).
			Hinting(lang.T("목적에 맞을 때에만 읽고, purpose에 그 목적을 밝히십시오 (개인정보 보호법 제18조)", "read only for it, and say so in purpose (개인정보 보호법 제18조)"))
	}
	var err error
	if r.fields, err = c.wanted(r.request.Fields); err != nil {
		return err
	}
	names := make([]string, 0, len(r.fields)+1)
	for _, f := range r.fields {
		names, r.out = append(names, f.Name), append(r.out, &f.Field)
	}
	if c.subject != nil && !slices.Contains(names, c.subject.Name) {
		names = append(names, c.subject.Name) // behind what is shown: the receipt says whom it was about
	}
	r.selection = registry.Selection{Where: c.Spec.Where, View: c.view, Filter: r.request.Filter, Fields: names, Shuffled: c.shuffled()}
	if err := r.subjects(); err != nil {
		return err
	}
	if err := r.x.registry.CheckSelection(c.dataset, r.selection); err != nil {
		return err
	}
	if r.request.bulk() {
		r.id = newSalt()
	}
	r.about = roaring.New()
	if r.asked = c.Spec.Asked(); r.asked {
		if r.consents, err = r.x.consents(r.ctx, r.tx, c, r.people); err != nil {
			return err
		}
		for _, n := range r.people {
			if !r.consents[n] {
				return noConsent(c)
			}
		}
	}
	switch {
	case r.request.bulk():
		return r.pass()
	case len(r.selection.Subjects) > 0:
		return r.few()
	}
	return nil
}

// few reads about people who are named.
func (r *reading) few() error {
	c := &chunk{}
	err := r.x.registry.Select(r.ctx, r.tx, r.contract.dataset, r.selection, func(rec *registry.Record) error {
		c.raw = append(c.raw, rec)
		return nil
	})
	if err == nil {
		err = r.show(c)
	}
	if err != nil {
		return err
	}
	return r.take(c)
}

// subjects understands who is asked for.
func (r *reading) subjects() error {
	c, asked := r.contract, r.request.Subjects
	if r.request.Subject != "" {
		asked = append(slices.Clone(asked), r.request.Subject)
	}
	wrong := func(text, hint lang.Text) error { return problem.New("agreement.subject", 400, text).Hinting(hint) }
	if c.subject == nil {
		if len(asked) > 0 {
			return wrong(lang.T("사람에 관한 자료가 아니어서 subject를 쓸 수 없습니다", "the records aren't about persons: there is no subject to name"), lang.T("filter를 쓰십시오", "use filter"))
		}
		return nil
	}
	many := c.Spec.Many()
	switch {
	case len(asked) == 0 && !many:
		return wrong(lang.T("한 번에 한 사람만 읽는 협약입니다. subject가 필요합니다", "the agreement is for one person a read: say whom in subject"), lang.T("subject에 이 사업의 식별자를 쓰십시오", "write the identifier that this project has for them"))
	case len(asked) > 1 && !many:
		return wrong(lang.T("한 번에 한 사람만 읽는 협약입니다", "the agreement is for one person a read"), lang.T("한 사람씩 나누어 읽으십시오", "read them one by one"))
	case len(asked) > MaxSubjects:
		return wrong(lang.F("한 번에 %d명까지 쓸 수 있습니다", "at most %d can be named at once", MaxSubjects), lang.Text{})
	case len(asked) == 0:
		return nil
	}
	r.people = map[string]int64{}
	r.selection.Subjects = []string{}
	for _, name := range asked {
		n, ok := r.x.number(c.Project, "person", name)
		if !ok {
			continue // nobody that this project knows
		}
		theirs, err := r.x.Pseudonym(c.dataset.Project, "person", n)
		if err != nil {
			return err
		}
		if _, twice := r.people[theirs]; !twice {
			r.people[theirs] = n
			r.selection.Subjects = append(r.selection.Subjects, theirs)
		}
	}
	return nil
}

// chunk is some records on their way: as the provider has them, and then as the consumer sees them.
type chunk struct {
	raw   []*registry.Record
	shown []*registry.Record
	about []uint32
	bytes int
	err   error
	done  chan struct{}
}

// How much is read before it is taken: while a part is on its way out most of the next one comes in.
const (
	chunkRecords = 500
	chunkBytes   = 512 << 10
	chunksAhead  = 64
)

// pass reads the records that are selected, makes them what the consumer sees, on as many processors as there are, and takes them in their order.
func (r *reading) pass() error {
	ctx, stop := context.WithCancelCause(r.ctx)
	defer stop(nil)
	work, order := make(chan *chunk), make(chan *chunk, chunksAhead)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for c := range work {
				c.err = r.show(c)
				close(c.done)
			}
		})
	}
	workers.Go(func() {
		defer close(order)
		defer close(work)
		next := &chunk{done: make(chan struct{})}
		send := func() error {
			next.bytes = 0 // from here on, of what is shown
			select {
			case order <- next:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			work <- next
			next = &chunk{done: make(chan struct{})}
			return nil
		}
		err := r.x.registry.Select(ctx, r.tx, r.contract.dataset, r.selection, func(rec *registry.Record) error {
			next.raw = append(next.raw, rec)
			next.bytes += rec.Size()
			if len(next.raw) < chunkRecords && next.bytes < chunkBytes {
				return nil
			}
			return send()
		})
		if err == nil {
			err = send()
		}
		if err != nil {
			stop(err)
		}
	})
	defer workers.Wait() // the transaction is given back when nobody reads in it
	for c := range order {
		<-c.done
		err := c.err
		if err == nil {
			err = r.take(c)
		}
		if err != nil {
			stop(err)
			for range order { // let the reader end
			}
			return err
		}
	}
	return context.Cause(ctx)
}

// show makes a chunk's records what the consumer sees of them. Nobody who must have consented and hasn't is read of.
func (r *reading) show(c *chunk) error {
	k := r.contract
	for _, rec := range c.raw {
		var subject person
		if k.subject != nil {
			at := slices.IndexFunc(rec.Fields, func(f *catalog.Field) bool { return f.Name == k.subject.Name })
			subject.identifier, _ = rec.Values[at].(string)
			ok := false
			if subject.number, ok = r.people[subject.identifier]; !ok {
				if subject.number, ok = r.x.number(k.dataset.Project, "person", subject.identifier); !ok {
					return untranslatable(k.Dataset)
				}
			}
			if r.asked && !r.consents[subject.number] {
				continue
			}
			c.about = append(c.about, r.x.logged(subject.number))
		}
		shown, err := r.x.show(k, r.fields, rec, subject)
		if err != nil {
			return err
		}
		c.shown = append(c.shown, shown)
		c.bytes += shown.Size()
	}
	c.raw = nil
	return nil
}

// take takes a chunk in. A bulk read's part leaves when it is large enough.
func (r *reading) take(c *chunk) error {
	r.records = append(r.records, c.shown...)
	r.about.AddMany(c.about)
	r.bytes += c.bytes
	if r.request.bulk() && (len(r.records)+chunkRecords > partRecords || r.bytes >= partBytes) {
		return r.leave()
	}
	return nil
}

// leave writes the receipt of what was taken and lets it go. Records about persons or households go in no order: by that of the provider's keys two projects
// could tell which of theirs are of the same one.
func (r *reading) leave() error {
	if r.parts > 0 {
		if err := r.x.still(r.ctx, r.contract); err != nil {
			return err
		}
	}
	n, err := r.write()
	if err != nil {
		return err
	}
	if r.contract.shuffled() {
		rand.Shuffle(len(r.records), func(i, j int) { r.records[i], r.records[j] = r.records[j], r.records[i] })
	}
	part := Part{Receipt: n, Records: r.records}
	r.records, r.bytes, r.about = nil, 0, roaring.New()
	return r.yield(r.out, part)
}

// shuffled reports whether the records are about persons or households.
func (c *contract) shuffled() bool {
	return slices.ContainsFunc(c.dataset.Fields, func(f catalog.Field) bool { return identifies(&f) != "" })
}

// write writes the receipt of what was taken.
func (r *reading) write() (int64, error) {
	c := r.contract
	for _, n := range r.people { // also whom nothing was found of: it was asked about them
		r.about.Add(r.x.logged(n))
	}
	r.parts++
	public := r.x.receipt(c, r.request, r.fields)
	public.Records = int64(len(r.records))
	private, err := r.x.private(r.who, r.request.Filter)
	if err != nil {
		return 0, err
	}
	if r.request.bulk() {
		public.Read, public.Part = r.id, r.parts
	}
	e := entry(public, private, r.about)
	if reads, in := c.Spec.Rate(); reads > 0 && r.parts == 1 {
		e.Rate = &ledger.Rate{Name: "agreement " + c.Path(), Most: reads, In: in}
	}
	n, err := r.x.log.Append(r.ctx, e)
	if problem.Code(err) == "ledger.rate" {
		p := problem.As(err)
		out := problem.New("agreement.rate", p.Status, lang.F("협약 %[1]s의 한도(%[2]s)를 넘었습니다", "over the limit of the agreement %[1]s, %[2]s", c.Path(), c.Spec.Limit)).Hinting(p.Hint)
		out.With = p.With
		return 0, out
	}
	return n, err
}

// filterOfReceipt binds sealed filters to receipts.
const filterOfReceipt = "filter of a receipt"

// One reads what there is at once, and returns it with the first of its receipts: for reads about people who are named.
func (x *Exchange) One(ctx context.Context, who *identity.Principal, r Request) (records []*registry.Record, receipt int64, err error) {
	err = x.Read(ctx, who, r, func(_ []*catalog.Field, p Part) error {
		if records == nil {
			receipt = p.Receipt
		}
		records = append(records, p.Records...)
		return nil
	})
	return records, receipt, err
}

// About reads about a citizen who is signed in, for themselves, by an agreement of a project whose service they ask for: for the agreement's own purpose, with a receipt that they find among theirs. It gives all
// records that the provider has about them. Codes are those of [Exchange.Read].
func (x *Exchange) About(ctx context.Context, who *identity.Principal, project, name string, fields []string) ([]*registry.Record, int64, error) {
	person, err := citizen(who)
	if err != nil {
		return nil, 0, err
	}
	c, err := x.holds(ctx, project, name)
	if err != nil {
		return nil, 0, err
	}
	subject, err := x.Pseudonym(project, "person", person)
	if err != nil {
		return nil, 0, err
	}
	asks := &identity.Principal{Kind: identity.Service, Account: project, Project: project} // the service does, as it would for an application
	return x.One(ctx, asks, Request{Agreement: project + "/" + name, Purpose: c.Spec.Purpose, Subject: subject, Fields: fields})
}

// Allowed lists the agreements by which a principal may read now.
func (x *Exchange) Allowed(ctx context.Context, who *identity.Principal) (out []*Version, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		all, err := x.versions(ctx, tx, "state = 'active' ORDER BY project, name")
		for _, v := range all {
			if v.Stands(x.today()) == Active && who.May(identity.ReadGoverned, x.catalog().Place(v.Project)) {
				out = append(out, v)
			}
		}
		return err
	})
	return out, err
}

// describe says what an agreement lets be read, for people: fields and masks.
func (v *Version) describe() string {
	var b strings.Builder
	for i, f := range v.Spec.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f)
		if m := v.Spec.Masks[f]; m != "" {
			fmt.Fprintf(&b, " (%s)", m)
		}
	}
	return b.String()
}
